use super::{label_back, label_done, label_footnotes, label_table, label_to_do};
use izanagi_shared::markdown::Labels;

/// Returns the labels in rendered Markdown.
#[must_use]
pub fn markdown_labels() -> Labels {
    Labels {
        table: label_table().into(),
        task_done: label_done().into(),
        task_open: label_to_do().into(),
        footnotes: label_footnotes().into(),
        footnote_back: label_back().into(),
    }
}
