//! Flipping one bit of content so that it stays what its type demands: text stays UTF-8.

use izanagi_domain::storage::Data;
use serde_json::Value;

/// The fields of a record that carry a version's text (DESIGN §3). The others describe it.
const CONTENT_FIELDS: [&str; 2] = ["content", "patch"];

/// Flips a bit in the middle; says whether there was one.
pub(super) fn flip_bytes(bytes: &mut [u8]) -> bool {
    let middle = bytes.len() / 2;
    bytes.get_mut(middle).map(|byte| *byte ^= 1).is_some()
}

/// Flips the lowest bit of a character in the middle, and so of one byte: it is the lowest bit of
/// the character's last byte in every form of UTF-8 (RFC 3629 §3). Says whether there was one.
pub(super) fn flip_text(text: &mut String) -> bool {
    let middle = text.char_indices().nth(text.chars().count() / 2);
    let flipped = middle.and_then(|(at, old)| Some((at, old, char::from_u32(u32::from(old) ^ 1)?)));
    let Some((at, old, new)) = flipped else {
        return false;
    };
    text.replace_range(at..at + old.len_utf8(), new.encode_utf8(&mut [0; 4]));
    true
}

/// Flips a bit in the content of a record, or in its longest string when it has no field that is
/// known for content; says whether there was any string.
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

/// Flips a bit in the longest string of a value; says whether there was one.
fn flip_value(value: &mut Value) -> bool {
    match value {
        Value::String(text) => flip_text(text),
        Value::Array(items) => {
            items.iter_mut().max_by_key(|item| longest(item)).is_some_and(flip_value)
        }
        Value::Object(fields) => {
            fields.values_mut().max_by_key(|field| longest(field)).is_some_and(flip_value)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The length of the longest string of a value, in bytes; 0 for none.
fn longest(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(longest).max().unwrap_or(0),
        Value::Object(fields) => fields.values().map(longest).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

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
        assert!(!flip_value(&mut json!({ "chunks": 3, "more": [] })));
    }

    #[rstest]
    #[case::content_before_longer_strings(json!({ "hash": "01234", "content": "abc" }), "content")]
    #[case::patch_in_a_list(json!({ "baseHash": "01234", "patch": [{ "value": "x" }] }), "patch")]
    #[case::the_longest_without_content(json!({ "a": "xyz", "type": "chunks", "n": 3 }), "type")]
    #[case::the_longest_beside_empty_content(json!({ "content": "", "hash": "01" }), "hash")]
    fn only_the_content_of_a_record_is_flipped(#[case] before: Value, #[case] field: &str) {
        let Value::Object(mut data) = before.clone() else { panic!("an object") };
        assert!(flip_data(&mut data));
        for (name, value) in &data {
            assert_eq!(before[name] != *value, name == field, "{name}: {value}");
        }
    }
}
