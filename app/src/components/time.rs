use crate::catalogue::time as t;
use izanagi_shared::time::Timestamp;
use leptos::prelude::*;

/// A time in UTC; scripts rewrite it in the local time zone (`browser::times`).
#[component]
pub(crate) fn When(at: Timestamp) -> impl IntoView {
    view! { <time datetime=at.to_string()>{utc_words(at)}</time> }
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
