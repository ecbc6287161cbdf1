//! The typed catalogue: every text a person reads, in English, Japanese and Chinese side by side,
//! so that a text without a translation does not compile. One module per page or component; its
//! functions return the text in the language of the request. `words` has the texts that scripts
//! need, and `docs/words.md` the terms of each language.

pub(crate) mod account;
pub(crate) mod compare;
pub(crate) mod documents;
mod files;
pub(crate) mod history;
pub(crate) mod home;
mod language;
pub(crate) mod problems;
pub(crate) mod site;
#[cfg(test)]
mod tests;
pub(crate) mod time;
pub(crate) mod timeline;
pub(crate) mod version;

pub use files::words_file;
pub(crate) use files::words_path;
pub(crate) use language::COOKIE;
pub use language::Language;

use crate::words::{Source, counted, fill, find, markdown_labels};
use http::{HeaderMap, request::Parts};
use izanagi_shared::markdown::Labels;
use leptos::{
    prelude::{provide_context, use_context},
    reactive::owner::{Owner, with_context},
};

/// Returns the language of the request being answered.
pub(crate) fn language() -> Language {
    use_context::<Language>()
        .or_else(|| with_context::<Parts, _>(|parts| Language::of(&parts.headers)))
        .unwrap_or_default()
}

/// Provides the request's language, also to islands that the server renders.
pub(crate) fn provide_language() -> Language {
    let language = language();
    provide_context(language);
    provide_context(Source { language: language.index(), find });
    language
}

/// Calls a function outside a page in the language of a request.
pub(crate) fn in_language_of<T>(headers: &HeaderMap, call: impl FnOnce() -> T) -> T {
    let owner = Owner::new();
    owner.with(|| {
        provide_context(Language::of(headers));
        provide_language();
        call()
    })
}

/// Words of an HTML page that is downloaded.
#[derive(Debug, Clone)]
pub struct DownloadWords {
    /// Language tag.
    pub language: &'static str,
    /// Heading of the table of contents.
    pub contents: &'static str,
    /// Note at the end of a text that is too long to be rendered completely.
    pub truncated: &'static str,
    /// Labels in the text.
    pub labels: Labels,
}

/// Returns the words of a download for the client that sent these headers.
#[must_use]
pub fn download_words(headers: &HeaderMap) -> DownloadWords {
    in_language_of(headers, || DownloadWords {
        language: language().tag(),
        contents: site::contents(),
        truncated: site::truncated(),
        labels: markdown_labels(),
    })
}

/// Returns the title of an uploaded file without a name, for the client that sent these headers.
#[must_use]
pub fn untitled(headers: &HeaderMap) -> &'static str {
    in_language_of(headers, documents::untitled)
}

/// Words the outcome of an upload for the client that sent these headers.
#[must_use]
pub fn uploaded(headers: &HeaderMap, count: u64) -> String {
    in_language_of(headers, || documents::uploaded(count))
}

fn pick(texts: [&'static str; 3]) -> &'static str {
    texts[language().index()]
}

/// Defines texts by name: English, Japanese, Chinese. A text with `(arguments)` mentions each as
/// `{name}`, one with `[count]` has singular and plural divided by `|`, and `{}` is where a page
/// inserts an element (`words::around`).
macro_rules! texts {
    ($( $name:ident $( ( $($arg:ident),+ ) )? $( [ $count:ident ] )? : $en:literal, $ja:literal, $zh:literal; )+) => {
        $( $crate::catalogue::texts! { @one $name ( $($($arg),+)? ) [ $($count)? ] $en $ja $zh } )+
        #[cfg(test)]
        pub(super) const TEXTS: &[$crate::words::Entry] = &[$( $crate::words::Entry {
            key: concat!(module_path!(), "::", stringify!($name)),
            args: &[ $($(stringify!($arg)),+)? $(stringify!($count))? ],
            texts: [$en, $ja, $zh],
        } ),+];
    };
    (@one $name:ident () [] $en:literal $ja:literal $zh:literal) => {
        pub(crate) fn $name() -> &'static str {
            $crate::catalogue::pick([$en, $ja, $zh])
        }
    };
    (@one $name:ident ( $($arg:ident),+ ) [] $en:literal $ja:literal $zh:literal) => {
        pub(crate) fn $name($($arg: &str),+) -> String {
            let template = $crate::catalogue::pick([$en, $ja, $zh]);
            $crate::catalogue::fill(template, &[$((stringify!($arg), $arg)),+])
        }
    };
    (@one $name:ident () [ $count:ident ] $en:literal $ja:literal $zh:literal) => {
        pub(crate) fn $name($count: u64) -> String {
            $crate::catalogue::counted($crate::catalogue::pick([$en, $ja, $zh]), $count)
        }
    };
}
use texts;
