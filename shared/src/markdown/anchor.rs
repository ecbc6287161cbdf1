//! Heading ids: readable, stable and unique within a document.

use std::collections::{HashMap, HashSet};

use unicode_segmentation::UnicodeSegmentation;

use super::escape::percent_decode;

/// Prefix of every heading id. The hyphen prevents DOM clobbering: without it, a heading named
/// "location" or "submit" would become a property of `window` or of a form. No id of the
/// surrounding page starts with `h-`, so none can be taken over.
const PREFIX: &str = "h-";

/// Maximum length of a slug in bytes, before a number. An id is written four times.
const MAX_SLUG: usize = 512;

/// Allocates the heading ids of one document.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    used: HashSet<String>,
    /// Next number to try for a slug that is already in use.
    next: HashMap<String, u32>,
}

impl Anchors {
    /// Returns a unique id for a heading with this text: `h-` and a GitHub-style slug, with `-1`,
    /// `-2` … appended when the id is already taken.
    pub(super) fn add(&mut self, text: &str) -> String {
        let slug = make_slug(text);
        let mut id = format!("{PREFIX}{slug}");
        if self.used.contains(&id) {
            let next = self.next.entry(slug.clone()).or_insert(1);
            while self.used.contains(&id) {
                id = format!("{PREFIX}{slug}-{next}");
                *next += 1;
            }
        }
        self.used.insert(id.clone());
        id
    }

    /// Resolves a fragment link written in the document to an id: `#intro` as on GitHub, or the
    /// full id copied from the address bar. An unknown fragment keeps the prefix so that no link
    /// reaches an id of the surrounding page. An empty fragment (top of the page) stays empty.
    pub(super) fn resolve(&self, fragment: &str) -> String {
        let name = percent_decode(fragment).unwrap_or_else(|| fragment.to_owned());
        let prefixed = format!("{PREFIX}{}", name.to_lowercase());
        if name.is_empty() || (self.used.contains(&name) && !self.used.contains(&prefixed)) {
            name
        } else {
            prefixed
        }
    }
}

/// Keeps letters, digits, `-` and `_` in lower case, turns whitespace into hyphens and drops the
/// rest. Combining marks stay with their letter.
fn make_slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for cluster in text.trim().graphemes(true) {
        if slug.len() >= MAX_SLUG {
            break;
        }
        match cluster.chars().next() {
            Some('-' | '_') => slug.push_str(cluster),
            Some(first) if first.is_whitespace() => slug.push('-'),
            Some(first) if first.is_alphanumeric() => {
                // Some characters, such as Kawi's repha, form a cluster with whatever follows them.
                let is_part =
                    |c: &char| c.is_alphanumeric() || !(c.is_ascii() || c.is_whitespace());
                let letters = cluster.chars().filter(is_part);
                slug.extend(letters.flat_map(char::to_lowercase));
            }
            _ => {}
        }
    }
    slug.truncate(slug.floor_char_boundary(MAX_SLUG));
    if slug.is_empty() { "section".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Hello, World!", "h-hello-world")]
    #[case("  snake_case and-dash  ", "h-snake_case-and-dash")]
    #[case("日本語 の見出し", "h-日本語-の見出し")]
    #[case("Überblick É", "h-überblick-é")]
    #[case("e\u{301}tude", "h-e\u{301}tude")]
    #[case("हिन्दी", "h-हिन्दी")]
    #[case("\u{11f02}< \u{11f02}a", "h-\u{11f02}-\u{11f02}a")]
    #[case("🎉", "h-section")]
    #[case("", "h-section")]
    #[case("a \"b\" <c> & d", "h-a-b-c--d")]
    fn makes_an_id_from_heading_text(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(Anchors::default().add(text), expected);
    }

    #[test]
    fn never_returns_the_same_id_twice() {
        let mut anchors = Anchors::default();
        let ids: Vec<_> =
            ["a", "a-1", "A", "a", "a-1"].iter().map(|text| anchors.add(text)).collect();
        assert_eq!(ids, ["h-a", "h-a-1", "h-a-2", "h-a-3", "h-a-1-1"]);
    }

    #[test]
    fn a_very_long_heading_has_a_short_id() {
        let mut anchors = Anchors::default();
        let text = "é".repeat(100_000);
        let ids = [anchors.add(&text), anchors.add(&text)];
        let slug = "é".repeat(MAX_SLUG / 2);
        assert_eq!(ids, [format!("h-{slug}"), format!("h-{slug}-1")]);
    }

    #[rstest]
    #[case("intro", "h-intro")]
    #[case("Intro", "h-intro")]
    #[case("caf%C3%A9", "h-café")]
    #[case("h-intro", "h-intro")]
    #[case("h-bridge", "h-h-bridge")]
    #[case("main", "h-main")]
    #[case("", "")]
    fn resolves_a_fragment_to_an_id(#[case] fragment: &str, #[case] expected: &str) {
        let mut anchors = Anchors::default();
        for text in ["Intro", "Café", "H-Bridge"] {
            anchors.add(text);
        }
        assert_eq!(anchors.resolve(fragment), expected);
    }
}
