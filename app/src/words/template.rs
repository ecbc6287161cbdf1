//! Texts with arguments.

use leptos::prelude::*;

/// Replaces each `{name}` by its value. A value may contain braces: it is not searched.
#[must_use]
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let found = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value, after))
        });
        match found {
            Some((value, after)) => {
                filled.push_str(value);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// Fills in `{count}`, in the form for that number.
#[must_use]
pub fn counted(template: &str, count: u64) -> String {
    fill(one_or_many(template, count), &[("count", &grouped(count))])
}

/// Returns the form of a text for a number: `singular|plural`, or the whole text in a language
/// without plurals (CLDR: English has `one` and `other`; Japanese and Chinese have `other`).
#[must_use]
pub fn one_or_many(template: &str, count: u64) -> &str {
    match template.split_once('|') {
        Some((one, _)) if count == 1 => one,
        Some((_, many)) => many,
        None => template,
    }
}

/// Formats a number as `12,345`, the form of all three languages.
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

/// Shows a text around a view, at its `{}`.
pub fn around<V: IntoView>(template: &str, inner: V) -> impl IntoView + use<V> {
    let (before, after) = template.split_once("{}").unwrap_or((template, ""));
    // The server renders an empty text as a space.
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (before, after) = (text(before), text(after));
    view! { {before} {inner} {after} }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("{a} and {b}", "1 and {a}")]
    #[case("{b}{a}", "{a}1")]
    #[case("no arguments", "no arguments")]
    #[case("{unknown} {a", "{unknown} {a")]
    fn values_are_inserted_once(#[case] template: &str, #[case] filled: &str) {
        assert_eq!(fill(template, &[("a", "1"), ("b", "{a}")]), filled);
    }

    #[rstest]
    #[case(0, "0 words")]
    #[case(1, "1 word")]
    #[case(999, "999 words")]
    #[case(1_000, "1,000 words")]
    #[case(12_345_678, "12,345,678 words")]
    fn counts_in_words(#[case] count: u64, #[case] words: &str) {
        assert_eq!(counted("{count} word|{count} words", count), words);
        assert_eq!(counted("{count} 語", count), format!("{} 語", grouped(count)));
    }
}
