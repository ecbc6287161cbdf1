//! Code blocks, and documents that consist of code or plain text.

use super::Rendered;
use super::escape::{push_text, unify_line_ends};
use super::highlight;
use super::limit::within_html;
use crate::text::without_mark;

/// Maximum length in bytes of code that is highlighted; a page with a million spans is too slow.
pub(super) const HIGHLIGHT_LIMIT: usize = 512 * 1024;

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
/// The style sheet wraps its lines. Each has the direction of its own text.
#[must_use]
pub fn render_plain(text: &str) -> Rendered {
    render_whole("<pre class=\"plain-text\" dir=\"auto\">", None, text)
}

/// Renders the reading view of a `json` document: the text as written, highlighted but not
/// reformatted. Text that is not valid JSON is rendered too.
#[must_use]
pub fn render_json(text: &str) -> Rendered {
    render_whole("<pre class=\"code-block\" dir=\"ltr\" tabindex=\"0\">", Some("json"), text)
}

fn render_whole(start: &str, language: Option<&str>, text: &str) -> Rendered {
    let text = without_mark(text);
    let part = within_html(text);
    let mut html = String::with_capacity(part.len() + part.len() / 8 + 64);
    html.push_str(start);
    push_code(&mut html, language, part);
    html.push_str("</pre>\n");
    Rendered { html, truncated: part.len() < text.len(), ..Rendered::default() }
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
            render_plain("\n<b> & *c*\r\n").html,
            "<pre class=\"plain-text\" dir=\"auto\"><code>\n&lt;b&gt; &amp; *c*\n</code></pre>\n"
        );
    }

    #[test]
    fn renders_json_without_reformatting() {
        assert_eq!(
            render_json("{\"a\" :  1}").html,
            "<pre class=\"code-block\" dir=\"ltr\" tabindex=\"0\"><code class=\"language-json\">{\
             <span class=\"tok-attr\">\"a\"</span> :  <span class=\"tok-number\">1</span>}\
             </code></pre>\n"
        );
    }

    #[test]
    fn does_not_highlight_very_long_code() {
        let text = "1,".repeat(HIGHLIGHT_LIMIT / 2);
        assert!(render_json(&text).html.contains("<span"));
        assert!(!render_json(&(text + "1")).html.contains("<span"));
    }
}
