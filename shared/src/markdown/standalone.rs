//! A document as a single HTML file for download (PRODUCT D8).

use super::escape::{push_attribute, push_text};
use super::{Rendered, toc_html};

/// Note in English at the end of a text whose rest is missing.
pub const TRUNCATED: &str =
    "The rest is not shown: this text has too much formatting. Download it to read all of it.";

const STYLES: &str = include_str!("standalone.css");

/// The file is opened from a disk or an email, so its policy blocks all scripts.
const POLICY: &str =
    "default-src 'none'; img-src http: https: file: data:; style-src 'unsafe-inline'";

/// Options for [`standalone_html`].
#[derive(Clone, Copy, Debug)]
pub struct StandaloneOptions<'a> {
    /// Adds a table of contents with this label before the text. Omitted if there are no headings.
    pub toc: Option<&'a str>,
    /// Includes a small style sheet that follows the system's light or dark theme.
    pub styles: bool,
    /// Note at the end of a text whose rest is missing ([`Rendered::truncated`]).
    pub truncated: &'a str,
    /// Language of the document (BCP 47); `en` by default.
    pub language: &'a str,
}

impl Default for StandaloneOptions<'_> {
    fn default() -> Self {
        Self { toc: None, styles: true, truncated: TRUNCATED, language: "en" }
    }
}

/// Returns a complete HTML document.
///
/// `title` is plain text and is escaped here. `rendered` comes from [`super::render`], or its
/// `html` from [`super::render_plain`] or [`super::render_json`].
#[must_use]
pub fn standalone_html(
    title: &str,
    rendered: &Rendered,
    options: &StandaloneOptions<'_>,
) -> String {
    let mut out = String::with_capacity(rendered.html.len() + STYLES.len() + 512);
    out.push_str("<!DOCTYPE html>\n<html lang=\"");
    push_attribute(&mut out, options.language);
    out.push_str("\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"");
    push_attribute(&mut out, POLICY);
    out.push_str(
        "\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
    );
    push_text(&mut out, title);
    out.push_str("</title>\n");
    if options.styles {
        out.push_str("<style>\n");
        out.push_str(STYLES);
        out.push_str("</style>\n");
    }
    out.push_str("</head>\n<body>\n");
    if let Some(label) = options.toc {
        out.push_str(&toc_html(&rendered.toc, label));
    }
    out.push_str("<main>\n");
    out.push_str(&rendered.html);
    if rendered.truncated {
        out.push_str("<p class=\"cut-note\">");
        push_text(&mut out, options.truncated);
        out.push_str("</p>\n");
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::{RenderOptions, render};

    #[test]
    fn writes_a_complete_html_document() {
        let rendered = render("# A & B\n\ntext", &RenderOptions::default());
        let options = StandaloneOptions { toc: Some("Contents"), ..Default::default() };
        let html = standalone_html("</title><script>", &rendered, &options);
        assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
        assert!(html.contains("<title>&lt;/title&gt;&lt;script&gt;</title>"));
        assert!(html.contains("<style>") && html.contains("light-dark("));
        assert!(html.contains("<a href=\"#h-a--b\" dir=\"auto\">A &amp; B</a>"));
        assert!(html.contains("<p dir=\"auto\">text</p>\n</main>"));
    }

    #[test]
    fn leaves_out_styles_and_contents() {
        let rendered = render("# A", &RenderOptions::default());
        let options = StandaloneOptions { styles: false, language: "ja", ..Default::default() };
        let html = standalone_html("A", &rendered, &options);
        assert!(html.contains("lang=\"ja\""));
        assert!(!html.contains("<style") && !html.contains("<nav"));
    }
}
