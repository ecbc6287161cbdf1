//! Word lists of a language.

use super::language::{ANY_CASE, CAPITAL_TYPES, Language};

/// The word lists of a language, split once per piece of code.
pub(super) struct Words {
    keywords: Vec<&'static str>,
    constants: Vec<&'static str>,
    types: Vec<&'static str>,
    flags: u16,
}

impl Words {
    pub(super) fn new(language: &Language) -> Self {
        let split = |list: &'static str| list.split_ascii_whitespace().collect();
        Self {
            keywords: split(language.keywords),
            constants: split(language.constants),
            types: split(language.types),
            flags: language.flags,
        }
    }

    /// Returns the class of a word that is highlighted wherever it appears.
    pub(super) fn classify(&self, word: &str) -> Option<&'static str> {
        let folded;
        let known = if self.flags & ANY_CASE == 0 {
            word
        } else {
            folded = word.to_ascii_lowercase();
            &folded
        };
        let is_in = |list: &[&str]| list.binary_search(&known).is_ok();
        if is_in(&self.keywords) {
            Some("keyword")
        } else if is_in(&self.constants) {
            Some("constant")
        } else if is_in(&self.types) {
            Some("type")
        } else if self.flags & CAPITAL_TYPES != 0 && word.starts_with(|c: char| c.is_uppercase()) {
            // `MAX` is a constant, but `T` is a type parameter.
            let is_all_caps = word.len() > 1 && !word.contains(|c: char| c.is_ascii_lowercase());
            Some(if is_all_caps { "constant" } else { "type" })
        } else {
            None
        }
    }
}
