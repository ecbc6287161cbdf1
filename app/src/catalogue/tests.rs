//! Compares the languages of the catalogue.

use super::{
    Language, account, compare, documents, history, home, problems, provide_language, site, time,
    timeline, version,
};
use crate::words::{
    self, COMMON_TEXTS, EDITOR_TEXTS, Entry, PAGE_TEXTS, PHRASE_TEXTS, PROBLEM_TEXTS,
    TIMELINE_TEXTS,
};
use izanagi_shared::problem::FieldError;
use leptos::prelude::*;
use leptos::reactive::owner::Owner;
use rstest::rstest;
use std::collections::{BTreeSet, HashSet};

/// Every table of the catalogue, each with distinct keys.
const TABLES: [&[Entry]; 16] = [
    account::TEXTS,
    compare::TEXTS,
    documents::TEXTS,
    history::TEXTS,
    home::TEXTS,
    problems::TEXTS,
    site::TEXTS,
    time::TEXTS,
    timeline::TEXTS,
    version::TEXTS,
    COMMON_TEXTS,
    EDITOR_TEXTS,
    PAGE_TEXTS,
    PROBLEM_TEXTS,
    TIMELINE_TEXTS,
    PHRASE_TEXTS,
];

/// Latin words that stay as they are in Japanese and Chinese: names, formats, keys, units.
const NAMES: [&str; 25] = [
    "API",
    "Escape",
    "HTML",
    "Izanagi",
    "JSON",
    "JavaScript",
    "Markdown",
    "MiB",
    "SHA",
    "Tab",
    "U",
    "UTC",
    "UTF",
    "a",
    "example",
    "fsck",
    "repair",
    "izanagi",
    "json",
    "live",
    "md",
    "name",
    "org",
    "txt",
    "z",
];

fn entries() -> impl Iterator<Item = &'static Entry> {
    TABLES.iter().copied().flatten()
}

/// Returns the names in braces.
fn arguments(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
}

/// Returns a text without its arguments.
fn without_arguments(text: &str) -> String {
    let parts = text.split('{').enumerate();
    parts
        .map(|(at, part)| if at == 0 { part } else { part.split_once('}').map_or("", |it| it.1) })
        .collect()
}

/// Returns the width of a text in columns; an ideograph takes two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c < '\u{2e80}' { 1 } else { 2 }).sum()
}

#[test]
fn every_language_mentions_the_same_arguments() {
    for Entry { key, args, texts } in entries() {
        let english: BTreeSet<&str> = arguments(texts[0]);
        assert!(args.iter().all(|arg| english.contains(arg)), "{key}: {args:?} in “{}”", texts[0]);
        for text in texts {
            assert_eq!(arguments(text), english, "{key}: {text}");
        }
        let is_inserted = |argument: &&str| argument.is_empty();
        let named = english.iter().filter(|argument| !is_inserted(argument));
        assert_eq!(named.count(), args.len(), "{key}");
    }
}

#[test]
fn no_text_is_empty_and_only_english_has_plurals() {
    for Entry { key, args, texts: [english, others @ ..] } in entries() {
        assert!(!english.trim().is_empty(), "{key}");
        assert!(!english.contains('|') || *args == ["count"], "{key}: {english}");
        for text in others {
            assert!(!text.trim().is_empty() && !text.contains('|'), "{key}: {text}");
        }
    }
}

#[test]
fn keys_are_distinct() {
    let mut seen = HashSet::new();
    // The phrases, in the last table, are apart from the other texts.
    let (others, phrases) = TABLES.split_at(TABLES.len() - 1);
    let phrases = phrases.iter().copied().flatten().map(|entry| (true, entry.key));
    let others = others.iter().copied().flatten().map(|entry| (false, entry.key));
    for key in phrases.chain(others) {
        assert!(seen.insert(key), "{key:?}");
    }
}

#[test]
fn no_english_is_left_in_other_languages() {
    for Entry { key, texts: [_, others @ ..], .. } in entries() {
        for text in others {
            let plain = without_arguments(text);
            let words = plain.split(|c: char| !c.is_ascii_alphabetic()).filter(|it| !it.is_empty());
            for word in words {
                assert!(NAMES.contains(&word), "{key}: “{word}” in “{text}”");
            }
        }
    }
}

#[test]
fn no_translation_is_much_wider_than_the_english_text() {
    for Entry { key, texts: [english, others @ ..], .. } in entries() {
        let most = width(english) * 3 / 2 + 12;
        for text in others {
            assert!(width(text) <= most, "{key}: {} of {most} columns: {text}", width(text));
        }
    }
}

#[rstest]
#[case(Language::English, "“a.exe” is not a .md, .txt or .json file.", "1 change")]
#[case(
    Language::Japanese,
    "「a.exe」は .md、.txt、.json のいずれのファイルでもありません。",
    "1 件の変更"
)]
#[case(Language::Chinese, "“a.exe”不是 .md、.txt 或 .json 文件。", "1 处更改")]
fn errors_are_worded_by_their_code(
    #[case] language: Language,
    #[case] error: &str,
    #[case] count: &str,
) {
    Owner::new().with(|| {
        provide_context(language);
        provide_language();
        let given = FieldError::new("file", "unsupported_type", "English.").with(&"a.exe");
        assert_eq!(words::field_error(&given), error);
        assert_eq!(words::changes(1), count);
        // Without its argument, or with an unknown code, an error keeps its own message.
        let given = FieldError::new("file", "unsupported_type", "English.");
        assert_eq!(words::field_error(&given), "English.");
        let given = FieldError::new("file", "new_code", "English.");
        assert_eq!(words::field_error(&given), "English.");
    });
}
