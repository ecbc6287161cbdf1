//! Record data as bytes: CBOR, either in one zstd frame (RFC 8878) with a checksum or, if that saves
//! nothing, as it is between a mark and a checksum.

use super::{
    cbor, id_bytes, record_changes,
    statement::{Statement, args},
};
use crate::frame::{self, LARGE, MAX_BYTES, run_blocking};
use izanagi_domain::storage::{
    Constraint, Data, NewRecord, RecordChangeKind, RecordPath, StoreError, StoreResult,
};
use izanagi_shared::time::Timestamp;

/// The size of a BSON document, so that records can move to MongoDB.
const MAX_STORED: usize = 16 * 1024 * 1024;

/// Larger payloads are stored in `record_bodies`. A row of `records` stays in its page up to about
/// a thousand bytes.
const INLINE: usize = 512;

/// Marks data that is not compressed. No zstd frame begins with it.
const PLAIN: u8 = 0;
/// Length of a checksum, as in a zstd frame.
const SUM: usize = 4;

/// Encoded data, in the table where its row belongs.
pub(super) enum Payload {
    /// In `records`.
    Inline(Vec<u8>),
    /// In `record_bodies`.
    Body(Vec<u8>),
}

impl Payload {
    /// Encodes data for storage.
    pub(super) async fn encode(data: &Data) -> StoreResult<Self> {
        let bytes = encode(data).await?;
        Ok(if bytes.len() <= INLINE { Self::Inline(bytes) } else { Self::Body(bytes) })
    }

    /// Splits the payload into the column of `records` and the row of `record_bodies`.
    pub(super) fn split(self) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        match self {
            Self::Inline(bytes) => (Some(bytes), None),
            Self::Body(bytes) => (None, Some(bytes)),
        }
    }
}

async fn encode(data: &Data) -> StoreResult<Vec<u8>> {
    let bytes = cbor::to_bytes(data).map_err(StoreError::Corrupt)?;
    if bytes.len() > MAX_STORED {
        return Err(StoreError::Conflict(Constraint::RecordTooLarge));
    }
    if bytes.len() < LARGE {
        return compress(&bytes);
    }
    run_blocking(move || compress(&bytes)).await
}

/// Decodes several payloads.
pub(super) async fn decode_all(stored: Vec<Vec<u8>>) -> StoreResult<Vec<Data>> {
    if stored.iter().map(Vec::len).sum::<usize>() < LARGE {
        return decompress(&stored);
    }
    run_blocking(move || decompress(&stored)).await
}

/// Statements that insert a record and, if missing, the name of its collection.
pub(super) async fn insert(record: &NewRecord, at: Timestamp) -> StoreResult<Vec<Statement>> {
    let (path, id) = (&record.path, id_bytes::to_bytes(record.path.id()));
    let (data, body) = Payload::encode(&record.data).await?.split();
    let mut statements = vec![
        Statement::with(
            "INSERT INTO collections (name) VALUES ($1) ON CONFLICT DO NOTHING",
            args![path.collection()],
        ),
        Statement::with(
            "INSERT INTO records (collection, id, version, created_at, updated_at, deleted, data) \
             VALUES ((SELECT id FROM collections WHERE name = $1), $2, 1, $3, $3, $4, $5)",
            args![path.collection(), id.clone(), at, false, data],
        ),
    ];
    statements.push(record_changes::note(path, 1, RecordChangeKind::Created));
    if let Some(body) = body {
        statements.push(Statement::with(
            "INSERT INTO record_bodies (collection, id, data) \
             VALUES ((SELECT id FROM collections WHERE name = $1), $2, $3)",
            args![path.collection(), id, body],
        ));
    }
    Ok(statements)
}

/// Statement that replaces or removes the body of a record.
pub(super) fn replace_body(path: &RecordPath, body: Option<Vec<u8>>) -> Statement {
    let (collection, id) = (path.collection(), id_bytes::to_bytes(path.id()));
    match body {
        Some(body) => Statement::with(
            "INSERT INTO record_bodies (collection, id, data) \
             VALUES ((SELECT id FROM collections WHERE name = $1), $2, $3) \
             ON CONFLICT (collection, id) DO UPDATE SET data = excluded.data",
            args![collection, id, body],
        ),
        None => Statement::with(
            "DELETE FROM record_bodies \
             WHERE collection = (SELECT id FROM collections WHERE name = $1) AND id = $2",
            args![collection, id],
        ),
    }
}

fn compress(bytes: &[u8]) -> StoreResult<Vec<u8>> {
    let compressed = frame::compress(bytes)?;
    // Most deltas are smaller than what a frame adds.
    if compressed.len() <= 1 + bytes.len() + SUM {
        return Ok(compressed);
    }
    let mut plain = Vec::with_capacity(1 + bytes.len() + SUM);
    plain.push(PLAIN);
    plain.extend_from_slice(bytes);
    plain.extend_from_slice(&checksum(bytes));
    Ok(plain)
}

fn checksum(bytes: &[u8]) -> [u8; SUM] {
    let [a, b, c, d, ..] = *blake3::hash(bytes).as_bytes();
    [a, b, c, d]
}

fn decompress(stored: &[Vec<u8>]) -> StoreResult<Vec<Data>> {
    let corrupt = |what: String| StoreError::Corrupt(format!("a record: {what}"));
    let decode = |bytes: &Vec<u8>| {
        if let Some((&PLAIN, plain)) = bytes.split_first() {
            return match plain.split_last_chunk() {
                Some((plain, sum)) if *sum == checksum(plain) => {
                    cbor::from_bytes(plain).map_err(corrupt)
                }
                _ => Err(corrupt("wrong checksum".to_owned())),
            };
        }
        let bytes = frame::decompress(bytes, MAX_BYTES).map_err(corrupt)?;
        cbor::from_bytes(&bytes).map_err(corrupt)
    };
    stored.iter().map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn data(text: &str) -> Data {
        [("content".to_owned(), text.into())].into_iter().collect()
    }

    #[rstest]
    #[case::small("a\u{1F980}\r\n")]
    #[case::large(&"all work and no play ".repeat(100_000))]
    #[tokio::test]
    async fn reads_back_what_it_wrote(#[case] text: &str) {
        let stored = encode(&data(text)).await.unwrap();
        assert_eq!(
            decode_all(vec![stored.clone(), stored]).await.unwrap(),
            [data(text), data(text)]
        );
    }

    #[rstest]
    #[case::plain("some words", 1 + 3 + 10 + SUM)]
    #[case::compressed("some words, and some words, and some words, and some words, and more", 60)]
    #[tokio::test]
    async fn a_flipped_bit_is_corrupt(#[case] text: &str, #[case] at_most: usize) {
        let stored = encode(&data(text)).await.unwrap();
        assert!(stored.len() <= at_most, "{} bytes", stored.len());
        for at in 0..stored.len() {
            let mut damaged = stored.clone();
            damaged[at] ^= 1;
            let read = decode_all(vec![damaged]).await;
            assert!(!matches!(read, Ok(read) if read != [data(text)]));
        }
    }

    #[tokio::test]
    async fn a_claim_of_too_much_is_corrupt() {
        // Magic number, a header that declares an eight-byte size, and the size.
        let mut claim = vec![0x28, 0xB5, 0x2F, 0xFD, 0xE0];
        claim.extend((u64::MAX / 2).to_le_bytes());
        claim.extend([1, 0, 0]);
        assert!(matches!(decode_all(vec![claim]).await, Err(StoreError::Corrupt(_))));
    }
}
