//! Code blocks, and documents that consist of code or plain text.

use super::escape::{push_text, unify_line_ends};
use super::highlight;
use crate::text::without_mark;

/// Maximum length in bytes of code that is highlighted; a page with a million spans is too slow.
const HIGHLIGHT_LIMIT: usize = 512 * 1024;

/// Maximum length in bytes of a language name.
const LANGUAGE_LIMIT: usize = 32;

/// Returns the language named by the first word after a code fence, in lower case: `rust` for
/// `Rust,ignore`. `None` if it contains characters that are not allowed in a class name.
pub(super) fn find_language(info: &str) -> Option<String> {
    let name = info.split([' ', '\t', ',', '{']).next().unwrap_or_default();
    let is_name = !name.is_empty()
        && name.len() <= LANGUAGE_LIMIT
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._#".contains(&byte));
    is_name.then(|| name.to_ascii_lowercase())
}

/// Appends the highlighted code in a `<code>` element.
pub(super) fn push_code(out: &mut String, language: Option<&str>, code: &str) {
    let code = unify_line_ends(code);
    match language {
        None => out.push_str("<code>"),
        Some(language) => {
            out.push_str("<code class=\"language-");
            out.push_str(language);
            out.push_str("\">");
        }
    }
    match language {
        Some(language) if code.len() <= HIGHLIGHT_LIMIT => {
            highlight::push_highlighted(out, &code, language);
        }
        _ => push_text(out, &code),
    }
    out.push_str("</code>");
}

/// Renders the reading view of a `text` document: the escaped text in `<pre class="plain-text">`.
/// The style sheet wraps its lines.
#[must_use]
pub fn render_plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8 + 64);
    out.push_str("<pre class=\"plain-text\">");
    push_code(&mut out, None, without_mark(text));
    out.push_str("</pre>\n");
    out
}

/// Renders the reading view of a `json` document: the text as written, highlighted but not
/// reformatted. Text that is not valid JSON is rendered too.
#[must_use]
pub fn render_json(text: &str) -> String {
    let mut out = String::with_capacity(3 * text.len() + 64);
    out.push_str("<pre class=\"code-block\" tabindex=\"0\">");
    push_code(&mut out, Some("json"), without_mark(text));
    out.push_str("</pre>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("rust", Some("rust"))]
    #[case("Rust,ignore", Some("rust"))]
    #[case("c++ numbers", Some("c++"))]
    #[case("js{1,3}", Some("js"))]
    #[case("", None)]
    #[case("\"onclick=x", None)]
    #[case("日本語", None)]
    #[case("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", None)]
    fn finds_the_language_of_a_fence(#[case] info: &str, #[case] expected: Option<&str>) {
        assert_eq!(find_language(info).as_deref(), expected);
    }

    #[test]
    fn renders_plain_text_as_written() {
        assert_eq!(
            render_plain("\n<b> & *c*\r\n"),
            "<pre class=\"plain-text\"><code>\n&lt;b&gt; &amp; *c*\n</code></pre>\n"
        );
    }

    #[test]
    fn renders_json_without_reformatting() {
        assert_eq!(
            render_json("{\"a\" :  1}"),
            "<pre class=\"code-block\" tabindex=\"0\"><code class=\"language-json\">{\
             <span class=\"tok-attr\">\"a\"</span> :  <span class=\"tok-number\">1</span>}\
             </code></pre>\n"
        );
    }

    #[test]
    fn does_not_highlight_very_long_code() {
        let text = "1,".repeat(HIGHLIGHT_LIMIT / 2);
        assert!(render_json(&text).contains("<span"));
        assert!(!render_json(&(text + "1")).contains("<span"));
    }
}
