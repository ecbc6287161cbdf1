//! Texts of islands and scripts, and of everything they share with the server. A bundle contains
//! only keys: a page names a file with the texts of its language (`catalogue::files`), so that a
//! further language costs a bundle nothing.

mod common;
mod editor;
mod labels;
mod pages;
mod problem;
mod problem_texts;
mod save_state;
mod template;
mod timeline;

pub use common::*;
pub use editor::*;
pub use labels::markdown_labels;
pub use pages::*;
pub use problem::{field_error, problem, problem_code};
pub use problem_texts::PROBLEM_TEXTS;
pub use save_state::save_state;
pub use template::{around, counted, fill, grouped, one_or_many};
pub use timeline::*;

use js_sys::Reflect;
use leptos::{prelude::use_context, wasm_bindgen::JsValue};
use std::cell::OnceCell;

/// Id of the link to the page's texts, which a bundle's loader fetches (`scripts/site.mjs`).
pub const LINK: &str = "words";
/// Key of the phrases of CodeMirror, an object, among the texts.
pub const PHRASES: &str = "phrases";

/// A text of the catalogue in every language, with the names of its arguments.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Name of the text.
    pub key: &'static str,
    /// Arguments: each language mentions each of them as `{name}`.
    pub args: &'static [&'static str],
    /// English, Japanese, Chinese.
    pub texts: [&'static str; 3],
}

/// Where the server looks up these texts, provided as context. In the browser there is none, and
/// the texts come from the page.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// Index of the language.
    pub language: usize,
    /// Finds a text by its key. A pointer, so that bundles do not contain the tables.
    pub find: fn(usize, &str) -> Option<&'static str>,
}

thread_local! {
    static PAGE: OnceCell<JsValue> = const { OnceCell::new() };
}

/// Sets the texts of this page: an object by key. Called once, before anything is hydrated.
pub fn set(texts: JsValue) {
    PAGE.with(|page| {
        // A second call would be a mistake of the loader; the first texts stay.
        let _ = page.set(texts);
    });
}

/// Returns the text with this key in the page's language.
#[must_use]
pub fn text(key: &str) -> Option<String> {
    match use_context::<Source>() {
        Some(Source { language, find }) => find(language, key).map(str::to_owned),
        None => of_page(key).as_string(),
    }
}

/// Returns the texts that pages and scripts share, of all tables.
pub fn script_texts() -> impl Iterator<Item = &'static Entry> {
    let tables = [COMMON_TEXTS, PAGE_TEXTS, EDITOR_TEXTS, TIMELINE_TEXTS, PROBLEM_TEXTS];
    tables.into_iter().flatten()
}

/// Finds one of them, for the server.
#[must_use]
pub fn find(language: usize, key: &str) -> Option<&'static str> {
    let entry = script_texts().find(|entry| entry.key == key)?;
    entry.texts.get(language).copied()
}

/// Returns the phrases of CodeMirror in the page's language, by their English text.
#[must_use]
pub fn phrases() -> JsValue {
    of_page(PHRASES)
}

fn of_page(key: &str) -> JsValue {
    PAGE.with(|page| {
        let Some(texts) = page.get() else { return JsValue::UNDEFINED };
        // Fails only for a value that is not an object.
        Reflect::get(texts, &JsValue::from_str(key)).unwrap_or(JsValue::UNDEFINED)
    })
}

// Not inlined: a bundle calls these at each of its texts.

/// Returns the text with this key, or the key itself, so that a missing text is noticed.
#[inline(never)]
fn plain(key: &str) -> String {
    text(key).unwrap_or_else(|| key.to_owned())
}

#[inline(never)]
fn filled(key: &str, values: &[(&str, &str)]) -> String {
    fill(&plain(key), values)
}

#[inline(never)]
fn of_count(key: &str, count: u64) -> String {
    counted(&plain(key), count)
}

/// Defines texts by name: English, Japanese, Chinese. A text with `(arguments)` mentions each as
/// `{name}`; a text with `[count]` is chosen by the count, singular and plural divided by `|`.
macro_rules! island_texts {
    ($table:ident; $( $name:ident $( ( $($arg:ident),+ ) )? $( [ $count:ident ] )? : $en:literal, $ja:literal, $zh:literal; )+) => {
        $( island_texts! { @one $name ( $($($arg),+)? ) [ $($count)? ] $en } )+
        /// Every text defined here.
        pub const $table: &[Entry] = &[$( Entry {
            key: stringify!($name),
            args: &[ $($(stringify!($arg)),+)? $(stringify!($count))? ],
            texts: [$en, $ja, $zh],
        } ),+];
    };
    (@one $name:ident () [] $en:literal) => {
        #[doc = $en]
        #[must_use]
        pub fn $name() -> String {
            plain(stringify!($name))
        }
    };
    (@one $name:ident ( $($arg:ident),+ ) [] $en:literal) => {
        #[doc = $en]
        #[must_use]
        pub fn $name($($arg: &str),+) -> String {
            filled(stringify!($name), &[$((stringify!($arg), $arg)),+])
        }
    };
    (@one $name:ident () [ $count:ident ] $en:literal) => {
        #[doc = $en]
        #[must_use]
        pub fn $name($count: u64) -> String {
            of_count(stringify!($name), $count)
        }
    };
}
use island_texts;

/// Calls a function of a test with the English texts.
#[cfg(test)]
pub(crate) fn in_english<T>(call: impl FnOnce() -> T) -> T {
    leptos::prelude::Owner::new().with(|| {
        leptos::prelude::provide_context(Source { language: 0, find });
        call()
    })
}
