use crate::words;
use izanagi_shared::rules::DocumentKind;

/// Returns the label of a document's format.
#[must_use]
pub fn kind_name(kind: DocumentKind) -> String {
    match kind {
        DocumentKind::Markdown => words::kind_markdown(),
        DocumentKind::Text => words::kind_text(),
        DocumentKind::Json => words::kind_json(),
    }
}
