//! The scanner. It runs in linear time: no step looks ahead over text that another step scans
//! again.

use super::super::escape::push_text;
use super::language::{
    AT_META, BRACKET_META, CALLS, COLON_KEYS, DASH_WORDS, DOLLAR_VARIABLES, EQUALS_KEYS, HASH_META,
    LINES, Language, MARKUP, RUST, SPACED_SIGNS, SYMBOLS,
};
use super::measure::{
    is_word, measure_character, measure_comment, measure_line, measure_raw_string, measure_string,
};
use super::words::Words;

/// Scans one piece of code. Positions are byte offsets; every non-ASCII byte counts as part of a
/// word, so tokens start and end on character boundaries.
pub(super) struct Scanner<'c, 'o> {
    pub(super) code: &'c str,
    pub(super) at: usize,
    /// End of the code that has been written to `out`.
    written: usize,
    pub(super) out: &'o mut String,
    pub(super) language: &'static Language,
    words: Words,
}

impl<'c, 'o> Scanner<'c, 'o> {
    pub(super) fn new(code: &'c str, language: &'static Language, out: &'o mut String) -> Self {
        Self { code, at: 0, written: 0, out, language, words: Words::new(language) }
    }

    pub(super) fn run(mut self) {
        if self.has(LINES) {
            self.scan_diff();
        } else if self.has(MARKUP) {
            self.scan_markup();
        } else {
            while let Some(byte) = self.peek(0) {
                self.scan_token(byte);
            }
        }
        self.write_plain(self.code.len());
    }

    pub(super) fn has(&self, flag: u16) -> bool {
        self.language.flags & flag != 0
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<u8> {
        self.code.as_bytes().get(self.at + ahead).copied()
    }

    fn before(&self) -> Option<u8> {
        self.at.checked_sub(1).map(|at| self.code.as_bytes()[at])
    }

    pub(super) fn rest(&self) -> &'c str {
        &self.code[self.at..]
    }

    /// Writes everything up to `end` that is still unwritten, without highlighting.
    pub(super) fn write_plain(&mut self, end: usize) {
        push_text(self.out, &self.code[self.written..end]);
        self.written = end;
        self.at = end;
    }

    /// Writes the next `length` bytes as a token.
    pub(super) fn write_token(&mut self, class: &str, length: usize) {
        let end = self.at + length;
        self.write_plain(self.at);
        self.out.push_str("<span class=\"tok-");
        self.out.push_str(class);
        self.out.push_str("\">");
        push_text(self.out, &self.code[self.at..end]);
        self.out.push_str("</span>");
        self.written = end;
        self.at = end;
    }

    /// Moves past code that has already been written to `out` by a nested scanner.
    pub(super) fn skip_written(&mut self, end: usize) {
        self.written = end;
        self.at = end;
    }

    fn scan_token(&mut self, byte: u8) {
        match byte {
            _ if is_word(byte) && !byte.is_ascii_digit() => self.scan_word(),
            b'0'..=b'9' => self.scan_number(),
            b' ' | b'\n' | b'\t' => self.at += 1,
            // Outside strings: an escaped quote does not open a string.
            b'\\' if self.peek(1).is_some_and(|next| next.is_ascii()) => self.at += 2,
            _ if self.scan_comment() || self.scan_string() || self.scan_sign(byte) => {}
            _ => self.at += 1,
        }
    }

    fn scan_word(&mut self) {
        let length = self.measure_word();
        let word = &self.rest()[..length];
        if self.has(RUST)
            && matches!(word, "r" | "br" | "cr")
            && let Some(length) = measure_raw_string(self.rest(), length)
        {
            return self.write_token("string", length);
        }
        let is_member = self.before() == Some(b'.');
        let class = if self.is_key(length) {
            Some("attr")
        } else if is_member {
            None
        } else {
            self.words.classify(word)
        };
        match class.or_else(|| self.is_call(length).then_some("function")) {
            Some(class) => self.write_token(class, length),
            None => self.at += length,
        }
    }

    fn measure_word(&self) -> usize {
        let bytes = self.rest().as_bytes();
        let dashes = self.has(DASH_WORDS);
        (0..bytes.len())
            .find(|&at| {
                let joins =
                    dashes && bytes[at] == b'-' && bytes.get(at + 1).copied().is_some_and(is_word);
                !is_word(bytes[at]) && !joins
            })
            .unwrap_or(bytes.len())
    }

    /// Returns whether the next `length` bytes are a key: followed by a colon or an equals sign.
    fn is_key(&self, length: usize) -> bool {
        if !self.has(COLON_KEYS | EQUALS_KEYS) {
            return false;
        }
        let tail = &self.rest()[length..];
        let sign = tail.trim_start_matches([' ', '\t']);
        if self.has(EQUALS_KEYS) {
            return sign.starts_with('=');
        }
        // `a:hover` is not a key; a string followed by a colon is.
        let is_string = self.peek(0).is_some_and(|byte| !is_word(byte));
        is_string && sign.starts_with(':')
            || tail
                .strip_prefix(':')
                .is_some_and(|value| value.is_empty() || value.starts_with([' ', '\t', '\n', '\r']))
    }

    fn is_call(&self, length: usize) -> bool {
        let is_macro = self.has(RUST)
            && self.peek(length) == Some(b'!')
            && matches!(self.peek(length + 1), Some(b'(' | b'[' | b'{'));
        self.has(CALLS) && (is_macro || self.peek(length) == Some(b'('))
    }

    fn scan_number(&mut self) {
        let bytes = self.rest().as_bytes();
        let is_hex = self.rest().starts_with("0x");
        let mut end = 1;
        while let Some(&byte) = bytes.get(end) {
            let before_digit = bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
            let is_exponent = !is_hex && matches!(bytes[end - 1], b'e' | b'E');
            match byte {
                b'.' if before_digit => {}
                b'+' | b'-' if before_digit && is_exponent => {}
                _ if is_word(byte) => {}
                _ => break,
            }
            end += 1;
        }
        self.write_token("number", end);
    }

    pub(super) fn scan_comment(&mut self) -> bool {
        let rest = self.rest();
        let line_comments = self.language.line_comments;
        if line_comments.iter().any(|sign| rest.starts_with(sign)) {
            let is_blank = |byte: u8| byte.is_ascii_whitespace() || byte == b';';
            if !self.has(SPACED_SIGNS) || self.before().is_none_or(is_blank) {
                self.write_token("comment", measure_line(rest));
                return true;
            }
        }
        match self.language.block_comment {
            Some((open, close)) if rest.starts_with(open) => {
                let length = measure_comment(rest, open, close, self.has(RUST));
                self.write_token("comment", length);
                true
            }
            _ => false,
        }
    }

    fn scan_string(&mut self) -> bool {
        let rest = self.rest();
        let Some(quote) = self.language.strings.iter().find(|quote| rest.starts_with(quote.open))
        else {
            return false;
        };
        if self.has(SPACED_SIGNS) && self.before().is_some_and(is_word) {
            return false;
        }
        let length = measure_string(rest, quote);
        let class = if self.is_key(length) { "attr" } else { "string" };
        self.write_token(class, length);
        true
    }

    /// Scans a prefix character together with the word it highlights, such as `@name` or `$name`.
    fn scan_sign(&mut self, byte: u8) -> bool {
        let rest = self.rest();
        let word = |from: usize, joins: &[u8]| {
            let is_part = |&&byte: &&u8| is_word(byte) || joins.contains(&byte);
            rest.as_bytes()[from..].iter().take_while(is_part).count()
        };
        let found = match byte {
            b'\'' if self.has(RUST) => measure_character(rest).map(|length| ("string", length)),
            b'@' if self.has(AT_META) => Some(("meta", 1 + word(1, b".-"))),
            b'@' if self.has(SYMBOLS) => Some(("variable", 1 + word(1, b"@"))),
            b':' if self.has(SYMBOLS) && self.before() != Some(b':') => {
                Some(("constant", 1 + word(1, b"")))
            }
            b'$' if self.has(DOLLAR_VARIABLES) && rest.starts_with("${") => {
                let inside = rest[2..].find(['$', '{', '}', '\n']).unwrap_or(0);
                rest[2 + inside..].starts_with('}').then_some(("variable", 3 + inside))
            }
            b'$' if self.has(DOLLAR_VARIABLES) => Some(("variable", 1 + word(1, b""))),
            b'#' if self.has(HASH_META) && self.is_first_in_line() => {
                Some(("meta", 1 + word(1, b"")))
            }
            b'[' if self.has(BRACKET_META) && matches!(self.before(), None | Some(b'\n')) => {
                let title = rest[..measure_line(rest)].trim_end();
                // A table header such as `[a.b]`, not an array element `[1]`.
                let is_name =
                    title.trim_start_matches('[').starts_with(|c: char| c.is_alphabetic());
                (is_name && title.ends_with(']')).then_some(("meta", title.len()))
            }
            _ => None,
        };
        match found.filter(|&(_, length)| length > 1) {
            Some((class, length)) => self.write_token(class, length),
            None => return false,
        }
        true
    }

    fn is_first_in_line(&self) -> bool {
        let before = self.code[..self.at].trim_end_matches([' ', '\t']);
        before.is_empty() || before.ends_with('\n')
    }

    fn scan_diff(&mut self) {
        for line in self.code.split_inclusive('\n') {
            let is_meta =
                ["+++", "---", "@@", "diff ", "index "].iter().any(|m| line.starts_with(m));
            let class = match line.as_bytes()[0] {
                _ if is_meta => Some("meta"),
                b'+' => Some("inserted"),
                b'-' => Some("deleted"),
                _ => None,
            };
            let end = self.at + line.len();
            if let Some(class) = class {
                self.write_token(class, measure_line(line));
            }
            self.at = end;
        }
    }
}
