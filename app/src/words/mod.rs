//! Texts of islands and scripts, and of everything they share with the server. A bundle contains
//! only keys: the server writes the texts of the page's language into the page
//! (`catalogue::page_block`), so that a further language costs a bundle nothing.

mod common;
mod editor;
mod pages;
mod problem;
mod problem_texts;
mod save_state;
mod template;

pub use common::*;
pub use editor::*;
pub use pages::*;
pub use problem::{field_error, problem};
pub use problem_texts::PROBLEM_TEXTS;
pub use save_state::save_state;
pub use template::{around, counted, fill, grouped, one_or_many};

use js_sys::{JSON, Reflect};
use leptos::{
    prelude::{document, use_context},
    wasm_bindgen::JsValue,
};
use std::cell::OnceCell;

/// Id of the element that contains the page's texts as JSON.
pub const BLOCK: &str = "words";
/// Key of the phrases of CodeMirror, an object, in that JSON.
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
    let tables = [COMMON_TEXTS, PAGE_TEXTS, EDITOR_TEXTS, PROBLEM_TEXTS];
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
        let page = page.get_or_init(|| {
            let block = document().get_element_by_id(BLOCK).and_then(|it| it.text_content());
            block.and_then(|block| JSON::parse(&block).ok()).unwrap_or(JsValue::UNDEFINED)
        });
        // Fails only for a page without texts.
        Reflect::get(page, &JsValue::from_str(key)).unwrap_or(JsValue::UNDEFINED)
    })
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
            text(stringify!($name)).unwrap_or_default()
        }
    };
    (@one $name:ident ( $($arg:ident),+ ) [] $en:literal) => {
        #[doc = $en]
        #[must_use]
        pub fn $name($($arg: &str),+) -> String {
            fill(&text(stringify!($name)).unwrap_or_default(), &[$((stringify!($arg), $arg)),+])
        }
    };
    (@one $name:ident () [ $count:ident ] $en:literal) => {
        #[doc = $en]
        #[must_use]
        pub fn $name($count: u64) -> String {
            counted(&text(stringify!($name)).unwrap_or_default(), $count)
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
