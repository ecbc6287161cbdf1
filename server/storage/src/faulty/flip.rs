//! Flips one bit of content while keeping it valid for its type: text stays UTF-8.

use izanagi_domain::storage::{Data, Value};

/// Record fields that contain a version's text (DESIGN §3). Other fields describe it.
const CONTENT_FIELDS: [&str; 2] = ["content", "patch"];

/// Flips a bit in the middle; returns whether there was one.
pub(super) fn flip_bytes(bytes: &mut [u8]) -> bool {
    let middle = bytes.len() / 2;
    bytes.get_mut(middle).map(|byte| *byte ^= 1).is_some()
}

/// Flips the lowest bit of a character in the middle, which changes one byte: it is the lowest bit
/// of the character's last byte in every form of UTF-8 (RFC 3629 §3). Returns whether there was
/// one.
pub(super) fn flip_text(text: &mut String) -> bool {
    let middle = text.char_indices().nth(text.chars().count() / 2);
    let flipped = middle.and_then(|(at, old)| Some((at, old, char::from_u32(u32::from(old) ^ 1)?)));
    let Some((at, old, new)) = flipped else {
        return false;
    };
    text.replace_range(at..at + old.len_utf8(), new.encode_utf8(&mut [0; 4]));
    true
}

/// Flips a bit in the content of a record, or in its longest text or bytes if it has no known
/// content field; returns whether there were any.
pub(super) fn flip_data(data: &mut Data) -> bool {
    let field = CONTENT_FIELDS
        .into_iter()
        .find(|field| data.get(*field).is_some_and(|value| longest(value) > 0))
        .map(str::to_owned)
        .or_else(|| {
            data.iter().max_by_key(|(_, value)| longest(value)).map(|(field, _)| field.clone())
        });
    field.and_then(|field| data.get_mut(&field)).is_some_and(flip_value)
}

/// Flips a bit in the longest text or bytes of a value; returns whether there were any.
fn flip_value(value: &mut Value) -> bool {
    match value {
        Value::Text(text) => flip_text(text),
        Value::Bytes(bytes) => flip_bytes(bytes),
        Value::List(items) => {
            items.iter_mut().max_by_key(|item| longest(item)).is_some_and(flip_value)
        }
        Value::Map(fields) => {
            fields.values_mut().max_by_key(|field| longest(field)).is_some_and(flip_value)
        }
        Value::Null | Value::Bool(_) | Value::Int(_) => false,
    }
}

/// Returns the length of the longest text or bytes of a value; 0 if there are none.
fn longest(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.iter().map(longest).max().unwrap_or(0),
        Value::Map(fields) => fields.values().map(longest).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Int(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn different_bytes(a: &str, b: &str) -> usize {
        assert_eq!(a.len(), b.len());
        a.bytes().zip(b.bytes()).filter(|(a, b)| a != b).count()
    }

    #[rstest]
    #[case::ascii("word")]
    #[case::two_bytes("\u{80}")]
    #[case::last_before_the_surrogates("\u{d7ff}")]
    #[case::three_bytes("漢字")]
    #[case::astral("𝄞😀")]
    #[case::line_break("\r\n")]
    fn a_flipped_text_differs_in_one_byte(#[case] text: &str) {
        let mut flipped = text.to_owned();
        assert!(flip_text(&mut flipped));
        assert_eq!(different_bytes(text, &flipped), 1);
    }

    #[test]
    fn nothing_is_flipped_where_nothing_is() {
        assert!(!flip_text(&mut String::new()));
        assert!(!flip_bytes(&mut []));
        assert!(!flip_data(&mut Data::new()));
        assert!(!flip_value(&mut Value::List(vec![Value::Int(3), Value::List(vec![])])));
    }

    fn list(text: &str) -> Value {
        Value::List(vec![Value::Int(1), text.into()])
    }

    #[rstest]
    #[case::content_before_longer_texts(&[("hash", "01234".into()), ("content", "abc".into())], "content")]
    #[case::patch_in_a_list(&[("hash", [9; 32].into()), ("patch", list("x"))], "patch")]
    #[case::the_longest_without_content(&[("a", "xyz".into()), ("type", "chunks".into())], "type")]
    #[case::bytes_beside_empty_content(&[("content", "".into()), ("hash", [9; 32].into())], "hash")]
    fn only_the_content_of_a_record_is_flipped(
        #[case] before: &[(&str, Value)],
        #[case] field: &str,
    ) {
        let before: Data =
            before.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let mut data = before.clone();
        assert!(flip_data(&mut data));
        for (name, value) in &data {
            assert_eq!(before[name] != *value, name == field, "{name}: {value:?}");
        }
    }
}
