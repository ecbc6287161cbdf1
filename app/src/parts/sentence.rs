use leptos::prelude::*;

/// Isolates the direction of quoted titles and names in a sentence, so that a right-to-left one
/// does not reorder the surrounding words. A language quotes by “…” or 「…」.
#[must_use]
pub fn isolate_quoted(sentence: &str) -> Vec<AnyView> {
    quoted_parts(sentence)
        .into_iter()
        .map(|part| match part {
            Part::Words(words) => words.into_any(),
            Part::Quoted(title) => view! { <bdi>{title}</bdi> }.into_any(),
        })
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Words(String),
    Quoted(String),
}

/// Splits a sentence; quotation marks belong to the surrounding text. A quotation extends to the
/// last closing mark before the next opening one, because a title may contain a closing mark.
fn quoted_parts(sentence: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    // The first mark is the sentence's own; a title may contain the other one.
    let is_cornered = sentence.chars().find(|c| matches!(c, '“' | '「')) == Some('「');
    let (opens, closes) = if is_cornered { ('「', '」') } else { ('“', '”') };
    let mut pieces = sentence.split_inclusive(opens);
    let mut words = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        if let Some((title, _)) = piece.rsplit_once(closes) {
            parts.push(Part::Words(std::mem::take(&mut words)));
            parts.push(Part::Quoted(title.to_owned()));
            words.push_str(&piece[title.len()..]);
        } else {
            words.push_str(piece);
        }
    }
    parts.push(Part::Words(words));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Nothing quoted.", &[])]
    #[case("“שלום” was moved to the trash.", &["שלום"])]
    #[case("Renamed to “a ”b”.", &["a ”b"])]
    #[case("“One” became “two”.", &["One", "two"])]
    #[case("“never closed", &[])]
    #[case("「שלום」をゴミ箱に移動しました。", &["שלום"])]
    #[case("「“a”」を復元しました。", &["“a”"])]
    #[case("已恢复“「a」”。", &["「a」"])]
    fn separates_titles_from_the_surrounding_words(
        #[case] sentence: &str,
        #[case] titles: &[&str],
    ) {
        let parts = quoted_parts(sentence);
        let quoted: Vec<&str> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Quoted(title) => Some(title.as_str()),
                Part::Words(_) => None,
            })
            .collect();
        assert_eq!(quoted, titles);
        let whole: String = parts
            .into_iter()
            .map(|part| match part {
                Part::Words(text) | Part::Quoted(text) => text,
            })
            .collect();
        assert_eq!(whole, sentence);
    }
}
