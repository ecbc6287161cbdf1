//! Formatting of short phrases.

use izanagi_shared::rules::DocumentKind;

/// Returns the label of a document's format.
#[must_use]
pub const fn kind_name(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Markdown => "Markdown",
        DocumentKind::Text => "Plain text",
        DocumentKind::Json => "JSON",
    }
}

/// Formats a number with its noun.
#[must_use]
pub fn counted(count: u64, one: &str, many: &str) -> String {
    let digits = grouped(count);
    if count == 1 { format!("{digits} {one}") } else { format!("{digits} {many}") }
}

/// Formats a number as `12,345`.
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "0 words")]
    #[case(1, "1 word")]
    #[case(999, "999 words")]
    #[case(1_000, "1,000 words")]
    #[case(12_345_678, "12,345,678 words")]
    fn counts_in_words(#[case] count: u64, #[case] words: &str) {
        assert_eq!(counted(count, "word", "words"), words);
    }
}
