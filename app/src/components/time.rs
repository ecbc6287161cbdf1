use crate::catalogue::time as t;
use izanagi_shared::time::Timestamp;
use leptos::{nonce::use_nonce, prelude::*};

/// A time in UTC. On pages with scripts, [`LocalTimes`] rewrites it.
#[component]
pub(crate) fn When(
    at: Timestamp,
    /// Whether the time of day matters even after days.
    #[prop(optional)]
    is_precise: bool,
) -> impl IntoView {
    let precise = is_precise.then_some("");
    view! { <time datetime=at.to_string() data-precise=precise>{utc_words(at)}</time> }
}

/// Rewrites the times above it in the reader's time zone, as `today, 14:02`, `yesterday, 21:40`,
/// `12 March` or `12 March 2024`, with the full date and the zone as `title`. The script is part of
/// the page, so that it runs before the page is painted and nothing moves.
#[component]
pub(crate) fn LocalTimes() -> impl IntoView {
    const SCRIPT: &str = include_str!("times.js");
    let (today, yesterday) = (t::today("{time}"), t::yesterday("{time}"));
    view! { <script nonce=use_nonce() data-today=today data-yesterday=yesterday inner_html=SCRIPT></script> }
}

/// Formats an RFC 3339 time as `12 March 2025, 14:02 UTC`.
fn utc_words(at: Timestamp) -> String {
    let text = at.to_string();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    match part(5..7).parse().ok().and_then(t::month) {
        Some(month) => {
            let day = part(8..10).trim_start_matches('0');
            t::date(day, month, part(0..4), part(11..16))
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_a_readable_date() {
        let at: Timestamp = "2025-03-02T04:05:06Z".parse().unwrap();
        assert_eq!(utc_words(at), "2 March 2025, 04:05 UTC");
    }
}
