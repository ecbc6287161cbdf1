//! The data of a record as BSON. A text is stored as `{encoding: "zstd", content: <binary>}` where
//! that is smaller. A map of the caller that has a field `encoding` is stored as
//! `{encoding: "map", content: {…}}`, so that the two are never confused.

use crate::frame;
use izanagi_domain::storage::{Data, StoreError, StoreResult, Value};
use mongodb::bson::{
    RawArrayBuf, RawBinaryRef, RawBson, RawBsonRef, RawDocument, RawDocumentBuf, raw::CStr,
    raw::cstr, spec::BinarySubtype,
};

/// Shorter texts are not worth the 44 bytes that a compressed one takes in addition.
const WORTH_BYTES: usize = 100;
/// What a compressed text takes beside its frame, compared with a plain text.
const EXTRA_BYTES: usize = 44;

const ZSTD: &str = "zstd";
const MAP: &str = "map";

/// Encodes the fields of a record.
///
/// # Errors
/// `Corrupt` if they could not be read back.
pub(super) fn encode(data: &Data) -> StoreResult<RawDocumentBuf> {
    let depth = 1 + data.values().map(Value::depth).max().unwrap_or(0);
    if depth > Value::MAX_DEPTH {
        return Err(StoreError::Corrupt(format!("the record nests {depth} levels deep")));
    }
    fields(data)
}

/// Encodes one field.
pub(super) fn encode_value(value: &Value) -> StoreResult<RawBson> {
    Ok(match value {
        Value::Null => RawBson::Null,
        Value::Bool(flag) => RawBson::Boolean(*flag),
        Value::Int(number) => int(*number),
        Value::Text(text) => self::text(text)?,
        Value::Bytes(bytes) => binary(bytes),
        Value::List(items) => {
            let mut list = RawArrayBuf::new();
            for item in items {
                list.push(encode_value(item)?);
            }
            RawBson::Array(list)
        }
        Value::Map(map) if map.contains_key("encoding") => {
            let mut escaped = RawDocumentBuf::new();
            escaped.append(cstr!("encoding"), MAP);
            escaped.append(cstr!("content"), fields(map)?);
            RawBson::Document(escaped)
        }
        Value::Map(map) => RawBson::Document(fields(map)?),
    })
}

fn fields(map: &Data) -> StoreResult<RawDocumentBuf> {
    let mut document = RawDocumentBuf::new();
    for (field, value) in map {
        let name: &CStr = field
            .as_str()
            .try_into()
            .map_err(|_| StoreError::Corrupt("the name of a field contains U+0000".to_owned()))?;
        document.append(name, encode_value(value)?);
    }
    Ok(document)
}

/// The shorter form of an integer, where it fits.
pub(super) fn int(number: i64) -> RawBson {
    i32::try_from(number).map_or(RawBson::Int64(number), RawBson::Int32)
}

fn binary(bytes: &[u8]) -> RawBson {
    let subtype = BinarySubtype::Generic;
    RawBson::Binary(mongodb::bson::Binary { subtype, bytes: bytes.to_vec() })
}

fn text(text: &str) -> StoreResult<RawBson> {
    if text.len() > WORTH_BYTES {
        let frame = frame::compress(text.as_bytes())?;
        if frame.len() + EXTRA_BYTES < text.len() {
            let mut compressed = RawDocumentBuf::new();
            compressed.append(cstr!("encoding"), ZSTD);
            compressed.append(cstr!("content"), binary(&frame));
            return Ok(RawBson::Document(compressed));
        }
    }
    Ok(RawBson::String(text.to_owned()))
}

/// Decodes the fields of a record; the error says what is wrong.
pub(super) fn decode(document: &RawDocument) -> Result<Data, String> {
    // The bound of all compressed fields together.
    Decoder { left: frame::MAX_BYTES }.fields(document, 1)
}

struct Decoder {
    left: usize,
}

impl Decoder {
    fn fields(&mut self, document: &RawDocument, depth: usize) -> Result<Data, String> {
        let mut data = Data::new();
        for element in document {
            let (field, value) = element.map_err(|error| error.to_string())?;
            let value = self.value(value, depth)?;
            if data.insert(field.as_str().to_owned(), value).is_some() {
                return Err(format!("the field {} appears twice", field.as_str()));
            }
        }
        Ok(data)
    }

    /// Decodes a value in a list or map at this depth.
    fn value(&mut self, value: RawBsonRef<'_>, depth: usize) -> Result<Value, String> {
        Ok(match value {
            RawBsonRef::Null => Value::Null,
            RawBsonRef::Boolean(flag) => Value::Bool(flag),
            RawBsonRef::Int32(number) => Value::Int(number.into()),
            RawBsonRef::Int64(number) => Value::Int(number),
            RawBsonRef::String(text) => Value::Text(text.to_owned()),
            RawBsonRef::Binary(RawBinaryRef { subtype: BinarySubtype::Generic, bytes }) => {
                Value::Bytes(bytes.to_vec())
            }
            RawBsonRef::Array(items) => {
                let depth = deeper(depth)?;
                let mut list = Vec::new();
                for item in items {
                    list.push(self.value(item.map_err(|error| error.to_string())?, depth)?);
                }
                Value::List(list)
            }
            RawBsonRef::Document(document) => self.document(document, depth)?,
            other => return Err(format!("a value of type {:?}", other.element_type())),
        })
    }

    fn document(&mut self, document: &RawDocument, depth: usize) -> Result<Value, String> {
        let get = |field: &str| document.get(field).map_err(|error| error.to_string());
        let Some(encoding) = get("encoding")? else {
            return self.fields(document, deeper(depth)?).map(Value::Map);
        };
        match (encoding, get("content")?) {
            (RawBsonRef::String(ZSTD), Some(RawBsonRef::Binary(frame))) => {
                let bytes = frame::decompress(frame.bytes, self.left)?;
                self.left -= bytes.len();
                String::from_utf8(bytes).map(Value::Text).map_err(|error| error.to_string())
            }
            (RawBsonRef::String(MAP), Some(RawBsonRef::Document(map))) => {
                self.fields(map, deeper(depth)?).map(Value::Map)
            }
            (encoding, _) => Err(format!("the encoding {encoding:?} of a field is unknown")),
        }
    }
}

/// Bounds the recursion, whatever is stored.
fn deeper(depth: usize) -> Result<usize, String> {
    if depth >= Value::MAX_DEPTH {
        return Err(format!("the record nests deeper than {depth} levels"));
    }
    Ok(depth + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::rawdoc;
    use rstest::rstest;

    fn data(value: Value) -> Data {
        [("field".to_owned(), value)].into()
    }

    fn map(fields: &[(&str, Value)]) -> Value {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        Value::Map(fields.collect())
    }

    #[rstest]
    #[case::null(Value::Null)]
    #[case::small(Value::Int(-1))]
    #[case::large(Value::Int(i64::MIN))]
    #[case::text("Ä \u{1F980}\r\n".into())]
    #[case::long("all work and no play ".repeat(9).into())]
    #[case::bytes(Value::Bytes(vec![0, 255]))]
    #[case::list(Value::List(vec![Value::Null, "x".into(), Value::List(vec![])]))]
    #[case::looks_compressed(map(&[("encoding", "zstd".into()), ("content", Value::Bytes(vec![1]))]))]
    #[case::looks_escaped(map(&[("encoding", "map".into()), ("content", map(&[("encoding", Value::Null)]))]))]
    #[case::odd_names(map(&[("", Value::Null), ("$set", Value::Null), ("a.b", Value::Null)]))]
    fn reads_back_what_it_wrote(#[case] value: Value) {
        let data = data(value);
        assert_eq!(decode(&encode(&data).unwrap()), Ok(data));
    }

    #[test]
    fn only_texts_that_shrink_are_compressed() {
        let size = |text: &str| encode(&data(text.into())).unwrap().as_bytes().len();
        let letter = |n: u32| char::from(b' ' + (n.wrapping_mul(n) % 89) as u8);
        let random: String = (0..200).map(letter).collect();
        for text in ["", "words", &random] {
            assert!(size(text) <= text.len() + 5 + 5 + 7, "{text}");
        }
        assert!(size(&"all work and no play ".repeat(100)) < 150);
    }

    fn nested(levels: usize) -> Data {
        let mut value = Value::Int(1);
        for _ in 1..levels {
            value = Value::List(vec![value]);
        }
        data(value)
    }

    #[test]
    fn reads_back_what_nests_as_deep_as_it_may() {
        let deepest = nested(Value::MAX_DEPTH);
        assert_eq!(decode(&encode(&deepest).unwrap()), Ok(deepest));
        let deeper = nested(Value::MAX_DEPTH + 1);
        assert!(encode(&deeper).is_err());
        assert!(decode(&fields(&deeper).unwrap()).is_err());
    }

    fn compressed(bytes: &[u8]) -> RawDocumentBuf {
        let mut field = rawdoc! { "encoding": "zstd" };
        field.append(cstr!("content"), binary(bytes));
        rawdoc! { "field": field }
    }

    #[test]
    fn damaged_fields_are_refused() {
        let mut bomb = vec![0x28, 0xB5, 0x2F, 0xFD, 0xE0];
        bomb.extend((u64::MAX / 2).to_le_bytes());
        bomb.extend([1, 0, 0]);
        let not_utf8 = frame::compress(&[0xFF; 200]).unwrap();
        let mut flipped = frame::compress(&[b'a'; 200]).unwrap();
        let last = flipped.len() - 1;
        flipped[last] ^= 1;
        for document in [
            compressed(&bomb),
            compressed(&not_utf8),
            compressed(&flipped),
            compressed(&[1, 2, 3]),
            compressed(&[]),
            rawdoc! { "field": { "encoding": "zstd", "content": "text" } },
            rawdoc! { "field": { "encoding": "zstd" } },
            rawdoc! { "field": { "encoding": "gzip", "content": "text" } },
            rawdoc! { "field": { "encoding": 1 } },
            rawdoc! { "field": 1.5 },
            rawdoc! { "field": mongodb::bson::oid::ObjectId::new() },
            rawdoc! { "field": 1, "field": 2 },
        ] {
            assert!(decode(&document).is_err(), "{document:?}");
        }
    }

    #[test]
    fn compressed_fields_share_one_bound() {
        let half = frame::compress(&vec![b'a'; frame::MAX_BYTES / 2 + 1]).unwrap();
        let mut document = RawDocumentBuf::new();
        for name in [cstr!("a"), cstr!("b")] {
            let field = compressed(&half);
            document.append(name, field.get_document("field").unwrap());
        }
        assert!(decode(&document).unwrap_err().contains("declares"));
    }
}
