//! What the scanner knows about a language: a few lines of table each.

/// One language.
pub(super) struct Language {
    /// Names behind a fence, separated by blanks.
    pub(super) names: &'static str,
    /// What begins a comment up to the end of the line.
    pub(super) line_comments: &'static [&'static str],
    /// What begins and ends a comment over several lines.
    pub(super) block_comment: Option<(&'static str, &'static str)>,
    /// Kinds of string; longer openings first.
    pub(super) strings: &'static [Quote],
    /// Words in ASCII order, separated by blanks.
    pub(super) keywords: &'static str,
    /// As above: `true`, `null` and their like.
    pub(super) constants: &'static str,
    /// As above: types that are not marked by a capital letter.
    pub(super) types: &'static str,
    /// Sum of the constants below.
    pub(super) flags: u16,
}

/// A kind of string.
pub(super) struct Quote {
    /// What begins it.
    pub(super) open: &'static str,
    /// What ends it.
    pub(super) close: &'static str,
    /// Whether a backslash takes the meaning from the next character.
    pub(super) escapes: bool,
    /// Whether it may go on behind the end of the line.
    pub(super) lines: bool,
}

/// Keywords count in any case.
pub(super) const ANY_CASE: u16 = 1;
/// A word with a capital first letter is a type.
pub(super) const CAPITAL_TYPES: u16 = 1 << 1;
/// A word right before `(` is the name of a function.
pub(super) const CALLS: u16 = 1 << 2;
/// A word or string before `:` and a blank is a key.
pub(super) const COLON_KEYS: u16 = 1 << 3;
/// A word or string before `=` is a key.
pub(super) const EQUALS_KEYS: u16 = 1 << 4;
/// Words may contain `-`.
pub(super) const DASH_WORDS: u16 = 1 << 5;
/// `$name`, `${name}` are variables.
pub(super) const DOLLAR_VARIABLES: u16 = 1 << 6;
/// `@name` is an annotation.
pub(super) const AT_META: u16 = 1 << 7;
/// `#name` at the start of a line is for the preprocessor.
pub(super) const HASH_META: u16 = 1 << 8;
/// `[name]` at the start of a line is the title of a section.
pub(super) const BRACKET_META: u16 = 1 << 9;
/// A comment sign counts only behind a blank or at the start of a line, a quote not in a word.
pub(super) const SPACED_SIGNS: u16 = 1 << 10;
/// Comments nest, `'a` is a lifetime, `r#"…"#` a string.
pub(super) const RUST: u16 = 1 << 11;
/// `:name` is a symbol and `@name` a variable.
pub(super) const SYMBOLS: u16 = 1 << 12;
/// Tags with attributes instead of words; comments still count.
pub(super) const MARKUP: u16 = 1 << 13;
/// The first character of a line decides about it.
pub(super) const LINES: u16 = 1 << 14;
