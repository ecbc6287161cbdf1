//! What a record holds, as bytes: compact JSON in one zstd frame (RFC 8878) with a checksum.

use super::statement::{Statement, args};
use izanagi_domain::storage::{Data, NewRecord, RecordPath, StoreError, StoreResult};
use izanagi_shared::time::Timestamp;
use std::cell::RefCell;
use zstd::{
    bulk::{Compressor, Decompressor},
    zstd_safe::get_frame_content_size,
};

/// The fastest level that halves prose; higher ones take longer than the disk.
const LEVEL: i32 = 1;
/// More than any record may hold. A larger claim is damage, and no memory is set aside for it.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// From here on a thread for blocking work does it, so that no other task waits.
const LARGE: usize = 256 * 1024;

/// The bytes to store.
pub(super) async fn encode(data: &Data) -> StoreResult<Vec<u8>> {
    let json = serde_json::to_vec(data).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    if json.len() < LARGE {
        return compress(&json);
    }
    run_blocking(move || compress(&json)).await
}

/// What each of these bytes hold.
pub(super) async fn decode_all(stored: Vec<Vec<u8>>) -> StoreResult<Vec<Data>> {
    if stored.iter().map(Vec::len).sum::<usize>() < LARGE {
        return decompress(&stored);
    }
    run_blocking(move || decompress(&stored)).await
}

/// The row of a new record.
pub(super) async fn insert(record: &NewRecord, at: Timestamp) -> StoreResult<Statement> {
    let data = encode(&record.data).await?;
    Ok(Statement::with(
        "INSERT INTO records (collection, key, id, version, created_at, updated_at, deleted, data) \
         VALUES ($1, $2, $3, $4, $5, $5, $6, $7)",
        args![
            record.path.collection(),
            key(&record.path)?,
            record.path.id(),
            1_u64,
            at,
            false,
            data,
        ],
    ))
}

/// The key of a record, in the 16 bytes that its hex stands for.
pub(super) fn key(path: &RecordPath) -> StoreResult<Vec<u8>> {
    parse_key(&path.key())
}

/// A key in hex.
pub(super) fn parse_key(hex: &str) -> StoreResult<Vec<u8>> {
    hex::decode(hex).map_err(|error| StoreError::Corrupt(format!("the key {hex}: {error}")))
}

thread_local! {
    /// To make one takes as long as to compress a few pages.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

fn compress(json: &[u8]) -> StoreResult<Vec<u8>> {
    let compress = |kept: &mut Option<Compressor<'static>>| {
        let mut compressor = match kept.take() {
            Some(compressor) => compressor,
            None => {
                let mut new = Compressor::new(LEVEL)?;
                new.include_checksum(true)?;
                new
            }
        };
        let compressed = compressor.compress(json)?;
        *kept = Some(compressor);
        Ok(compressed)
    };
    let compressed = COMPRESSOR.with_borrow_mut(compress);
    compressed.map_err(|error: std::io::Error| StoreError::Unavailable(format!("zstd: {error}")))
}

fn decompress(stored: &[Vec<u8>]) -> StoreResult<Vec<Data>> {
    let mut decompressor =
        Decompressor::new().map_err(|error| StoreError::Unavailable(format!("zstd: {error}")))?;
    let corrupt = |what: String| StoreError::Corrupt(format!("a record: {what}"));
    let mut decode = |bytes: &Vec<u8>| {
        let size = get_frame_content_size(bytes).ok().flatten().unwrap_or_default();
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > MAX_BYTES {
            return Err(corrupt(format!("{size} bytes")));
        }
        let json =
            decompressor.decompress(bytes, size).map_err(|error| corrupt(error.to_string()))?;
        serde_json::from_slice(&json).map_err(|error| corrupt(error.to_string()))
    };
    stored.iter().map(&mut decode).collect()
}

async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> StoreResult<T> + Send + 'static,
) -> StoreResult<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))
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

    #[tokio::test]
    async fn a_flipped_bit_is_corrupt() {
        let stored = encode(&data("some words, and some more words")).await.unwrap();
        for at in 0..stored.len() {
            let mut damaged = stored.clone();
            damaged[at] ^= 1;
            let read = decode_all(vec![damaged]).await;
            assert!(!matches!(read, Ok(read) if read != [data("some words, and some more words")]));
        }
    }

    #[tokio::test]
    async fn a_claim_of_too_much_is_corrupt() {
        // Magic number, a header that announces an eight-byte size, and that size.
        let mut claim = vec![0x28, 0xB5, 0x2F, 0xFD, 0xE0];
        claim.extend((u64::MAX / 2).to_le_bytes());
        claim.extend([1, 0, 0]);
        assert!(matches!(decode_all(vec![claim]).await, Err(StoreError::Corrupt(_))));
    }
}
