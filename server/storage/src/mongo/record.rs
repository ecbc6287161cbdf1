//! A record as a BSON document (DESIGN §3).

use super::data;
use izanagi_domain::storage::{Data, NewRecord, Record, RecordPath, StoreError, StoreResult};
use izanagi_shared::time::Timestamp;
use mongodb::bson::{RawBsonRef, RawDocument, RawDocumentBuf, raw::cstr};

/// The id of a record: the first 128 bits of BLAKE3 over the full path, in hex.
pub(super) fn id_of(path: &RecordPath) -> String {
    hex(&blake3::hash(path.to_string().as_bytes()).as_bytes()[..16])
}

/// Writes bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Encodes a record at version 1.
pub(super) fn encode(new: &NewRecord, at: Timestamp) -> StoreResult<RawDocumentBuf> {
    encode_parts(&new.path, 1, (at, at), false, &new.data)
}

/// Encodes a record as it is.
pub(super) fn encode_stored(record: &Record) -> StoreResult<RawDocumentBuf> {
    let Record { path, version, created_at, updated_at, deleted, data } = record;
    let version = i64::try_from(*version)
        .map_err(|_| StoreError::Corrupt(format!("the record {path}: an impossible version")))?;
    encode_parts(path, version, (*created_at, *updated_at), *deleted, data)
}

fn encode_parts(
    path: &RecordPath,
    version: i64,
    (created_at, updated_at): (Timestamp, Timestamp),
    deleted: bool,
    data: &Data,
) -> StoreResult<RawDocumentBuf> {
    let parent = path.collection().rsplit_once('/').map_or("", |(parent, _)| parent);
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("_id"), id_of(path));
    document.append(cstr!("fullpath"), path.to_string());
    document.append(cstr!("collection"), path.collection());
    document.append(cstr!("parent"), parent);
    document.append(cstr!("version"), data::int(version));
    // A BSON date has only milliseconds.
    document.append(cstr!("createdAt"), created_at.as_micros());
    document.append(cstr!("updatedAt"), updated_at.as_micros());
    document.append(cstr!("deleted"), deleted);
    document.append(cstr!("data"), data::encode(data)?);
    Ok(document)
}

/// Decodes a record.
pub(super) fn decode(document: &RawDocument) -> StoreResult<Record> {
    let path = path(document)?;
    let corrupt = |what: String| StoreError::Corrupt(format!("the record {path}: {what}"));
    let field = |name: &str| match document.get(name) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(corrupt(format!("no {name}"))),
        Err(error) => Err(corrupt(error.to_string())),
    };
    let int = |name: &str| match field(name)? {
        RawBsonRef::Int32(number) => Ok(i64::from(number)),
        RawBsonRef::Int64(number) => Ok(number),
        _ => Err(corrupt(format!("{name} is not an integer"))),
    };
    let version = u64::try_from(int("version")?).ok().filter(|version| *version > 0);
    let deleted = field("deleted")?.as_bool();
    let data = field("data")?.as_document().ok_or_else(|| corrupt("data is no map".to_owned()))?;
    Ok(Record {
        version: version.ok_or_else(|| corrupt("an impossible version".to_owned()))?,
        created_at: Timestamp::from_micros(int("createdAt")?),
        updated_at: Timestamp::from_micros(int("updatedAt")?),
        deleted: deleted.ok_or_else(|| corrupt("deleted is not a boolean".to_owned()))?,
        data: data::decode(data).map_err(corrupt)?,
        path,
    })
}

/// Decodes the path of a record, which must agree with its id.
pub(super) fn path(document: &RawDocument) -> StoreResult<RecordPath> {
    let text = |name: &str| document.get_str(name).ok();
    let id = text("_id").unwrap_or_default();
    let path = match (text("fullpath"), text("collection")) {
        (Some(full), Some(collection)) => full
            .strip_prefix(collection)
            .and_then(|rest| rest.strip_prefix('/'))
            .map(|id| RecordPath::from_parts(collection, id)),
        _ => None,
    };
    path.filter(|path| id_of(path) == id)
        .ok_or_else(|| StoreError::Corrupt(format!("the record with _id {id:?}: its path")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::rawdoc;

    fn new_record() -> NewRecord {
        let path = RecordPath::from_parts("documents/7/contents", "9");
        NewRecord { path, data: Data::from([("content".to_owned(), "words".into())]) }
    }

    #[test]
    fn has_the_designed_fields() {
        let document = encode(&new_record(), Timestamp::from_micros(5)).unwrap();
        let expected = rawdoc! {
            "_id": id_of(&new_record().path),
            "fullpath": "documents/7/contents/9",
            "collection": "documents/7/contents",
            "parent": "documents/7",
            "version": 1,
            "createdAt": 5_i64,
            "updatedAt": 5_i64,
            "deleted": false,
            "data": { "content": "words" },
        };
        assert_eq!(document, expected);
        let record = decode(&document).unwrap();
        assert_eq!((record.path, record.data), (new_record().path, new_record().data));
    }

    #[test]
    fn the_id_is_half_of_the_hash() {
        let path = RecordPath::from_parts("a", "b");
        let whole = blake3::hash(b"a/b").to_hex();
        assert_eq!(id_of(&path), whole[..32]);
    }

    #[test]
    fn every_damaged_field_is_corrupt() {
        let whole = encode(&new_record(), Timestamp::from_micros(5)).unwrap();
        let names: Vec<String> = whole
            .iter()
            .map(|element| element.unwrap().0.as_str().to_owned())
            .filter(|name| name != "parent")
            .collect();
        for damaged in names {
            for replacement in [None, Some(1.5)] {
                let mut document = RawDocumentBuf::new();
                for element in &whole {
                    let (name, value) = element.unwrap();
                    if name.as_str() != damaged {
                        document.append(name, value);
                    } else if let Some(number) = replacement {
                        document.append(name, number);
                    }
                }
                let read = decode(&document);
                assert!(matches!(read, Err(StoreError::Corrupt(_))), "{damaged}: {read:?}");
            }
        }
    }
}
