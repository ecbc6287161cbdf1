//! Language description used by the scanner.

/// Description of a language.
pub(super) struct Language {
    /// Names as used after a code fence, separated by spaces.
    pub(super) names: &'static str,
    /// Delimiters that start a comment up to the end of the line.
    pub(super) line_comments: &'static [&'static str],
    /// Delimiters that start and end a block comment.
    pub(super) block_comment: Option<(&'static str, &'static str)>,
    /// Kinds of string literal; longer opening delimiters first.
    pub(super) strings: &'static [Quote],
    /// Keywords in ASCII order, separated by spaces.
    pub(super) keywords: &'static str,
    /// Constants such as `true` and `null`, in the same format.
    pub(super) constants: &'static str,
    /// Types that do not start with a capital letter, in the same format.
    pub(super) types: &'static str,
    /// Bitwise combination of the constants below.
    pub(super) flags: u16,
}

/// A kind of string literal.
pub(super) struct Quote {
    /// Opening delimiter.
    pub(super) open: &'static str,
    /// Closing delimiter.
    pub(super) close: &'static str,
    /// Whether a backslash escapes the next character.
    pub(super) escapes: bool,
    /// Whether the literal may span several lines.
    pub(super) lines: bool,
}

/// Keywords are case-insensitive.
pub(super) const ANY_CASE: u16 = 1;
/// A word that starts with a capital letter is a type.
pub(super) const CAPITAL_TYPES: u16 = 1 << 1;
/// A word directly before `(` is a function name.
pub(super) const CALLS: u16 = 1 << 2;
/// A word or string before `:` and whitespace is a key.
pub(super) const COLON_KEYS: u16 = 1 << 3;
/// A word or string before `=` is a key.
pub(super) const EQUALS_KEYS: u16 = 1 << 4;
/// Words may contain `-`.
pub(super) const DASH_WORDS: u16 = 1 << 5;
/// `$name` and `${name}` are variables.
pub(super) const DOLLAR_VARIABLES: u16 = 1 << 6;
/// `@name` is an annotation.
pub(super) const AT_META: u16 = 1 << 7;
/// `#name` at the start of a line is a preprocessor directive.
pub(super) const HASH_META: u16 = 1 << 8;
/// `[name]` at the start of a line is a section title.
pub(super) const BRACKET_META: u16 = 1 << 9;
/// A comment must follow whitespace or start a line, and a quote inside a word does not open a
/// string.
pub(super) const SPACED_SIGNS: u16 = 1 << 10;
/// Comments nest, `'a` is a lifetime and `r#"…"#` is a string.
pub(super) const RUST: u16 = 1 << 11;
/// `:name` is a symbol and `@name` a variable.
pub(super) const SYMBOLS: u16 = 1 << 12;
/// Scanned as tags with attributes instead of words; comments still apply.
pub(super) const MARKUP: u16 = 1 << 13;
/// The start of a line determines the class of the whole line.
pub(super) const LINES: u16 = 1 << 14;
