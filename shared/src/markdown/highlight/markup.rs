//! HTML and XML: tags, attributes, character references, and embedded scripts and styles.

use super::measure::is_word;
use super::push_highlighted;
use super::scanner::Scanner;

/// Maximum length of a character reference name.
const REFERENCE_LIMIT: usize = 32;

impl Scanner<'_, '_> {
    pub(super) fn scan_markup(&mut self) {
        while let Some(step) = self.rest().find(['<', '&']) {
            self.at += step;
            if self.peek(0) == Some(b'&') {
                self.scan_reference();
            } else if !self.scan_comment() {
                self.scan_tag();
            }
        }
    }

    fn scan_reference(&mut self) {
        let name = self.rest().as_bytes()[1..].iter().take(REFERENCE_LIMIT);
        let length =
            1 + name.take_while(|&&byte| byte == b'#' || byte.is_ascii_alphanumeric()).count();
        if length > 1 && self.peek(length) == Some(b';') {
            self.write_token("constant", length + 1);
        } else {
            self.at += 1;
        }
    }

    fn scan_tag(&mut self) {
        let is_start = !matches!(self.peek(1), Some(b'/' | b'!' | b'?'));
        self.at += if is_start { 1 } else { 2 };
        let length = self.measure_name();
        if length == 0 {
            return;
        }
        let name = self.rest()[..length].to_ascii_lowercase();
        self.write_token("tag", length);
        while let Some(byte) = self.peek(0) {
            match byte {
                b'>' => {
                    self.at += 1;
                    if is_start {
                        self.scan_raw_text(&name);
                    }
                    return;
                }
                b'<' => return,
                b'"' | b'\'' => {
                    let inside = self.rest()[1..].find(char::from(byte));
                    self.write_token("string", inside.map_or(self.rest().len(), |at| at + 2));
                }
                _ => match self.measure_name() {
                    0 => self.at += 1,
                    length => {
                        let is_value = self.code[..self.at].ends_with('=');
                        self.write_token(if is_value { "string" } else { "attr" }, length);
                    }
                },
            }
        }
    }

    fn measure_name(&self) -> usize {
        let is_part = |&byte: &u8| is_word(byte) || b"-:.@".contains(&byte);
        self.rest().bytes().take_while(is_part).count()
    }

    /// Highlights the content of `<script>` or `<style>` in its own language.
    fn scan_raw_text(&mut self, name: &str) {
        let language = match name {
            "script" => "javascript",
            "style" => "css",
            _ => return,
        };
        let rest = self.rest();
        let end = rest.match_indices("</").map(|(at, _)| at).find(|&at| {
            let found = rest.get(at + 2..at + 2 + name.len());
            found.is_some_and(|found| found.eq_ignore_ascii_case(name))
        });
        let length = end.unwrap_or(rest.len());
        self.write_plain(self.at);
        push_highlighted(self.out, &rest[..length], language);
        self.skip_written(self.at + length);
    }
}
