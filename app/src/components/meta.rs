use izanagi_shared::rules::DocumentKind;
use leptos::prelude::*;

/// The kind of a document in words.
pub(crate) const fn kind_name(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Markdown => "Markdown",
        DocumentKind::Text => "Plain text",
        DocumentKind::Json => "JSON",
    }
}

/// A number with its noun.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    let digits = grouped(count);
    if count == 1 { format!("{digits} {one}") } else { format!("{digits} {many}") }
}

/// `12,345`.
pub(super) fn grouped(count: u64) -> String {
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

/// How many lines were added and removed: sign, colour and words agree.
#[component]
pub(crate) fn Counts(added: u64, removed: u64) -> impl IntoView {
    view! {
        <span class="counts">
            <span data-kind="insert">
                <span aria-hidden="true">"+" {grouped(added)}</span>
                <span class="visually-hidden">{counted(added, "line added, ", "lines added, ")}</span>
            </span>
            <span data-kind="delete">
                <span aria-hidden="true">"−" {grouped(removed)}</span>
                <span class="visually-hidden">{counted(removed, "line removed", "lines removed")}</span>
            </span>
        </span>
    }
}

/// The way back up.
#[component]
pub(crate) fn Crumbs(
    /// Paths and their words, from the top.
    steps: Vec<(String, String)>,
) -> impl IntoView {
    let step =
        |(path, words): (String, String)| view! { <li><a href=path><bdi>{words}</bdi></a></li> };
    view! {
        <ol class="crumbs" aria-label="Where you are">
            {steps.into_iter().map(step).collect_view()}
        </ol>
    }
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
