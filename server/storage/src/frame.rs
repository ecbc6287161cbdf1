//! zstd frames (RFC 8878) with a checksum, as the document stores keep them.

use izanagi_domain::storage::{StoreError, StoreResult};
use std::cell::RefCell;
use zstd::{
    bulk::{Compressor, Decompressor},
    zstd_safe::get_frame_content_size,
};

/// The fastest level that halves prose; higher levels take longer than the disk.
const LEVEL: i32 = 1;

/// Larger than any valid record. Frames that declare more are damaged; no memory is allocated for
/// them.
pub(crate) const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Larger data is processed on a blocking thread, so that other tasks do not wait.
pub(crate) const LARGE: usize = 256 * 1024;

thread_local! {
    /// Reused, because creating one takes as long as compressing a few pages.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses bytes into one frame that declares its size.
pub(crate) fn compress(bytes: &[u8]) -> StoreResult<Vec<u8>> {
    let compress = |kept: &mut Option<Compressor<'static>>| {
        let mut compressor = match kept.take() {
            Some(compressor) => compressor,
            None => {
                let mut new = Compressor::new(LEVEL)?;
                new.include_checksum(true)?;
                new
            }
        };
        let compressed = compressor.compress(bytes)?;
        *kept = Some(compressor);
        Ok(compressed)
    };
    let compressed = COMPRESSOR.with_borrow_mut(compress);
    compressed.map_err(|error: std::io::Error| StoreError::Unavailable(format!("zstd: {error}")))
}

/// Decompresses a frame that declares at most `limit` bytes; the error says what is wrong with it.
pub(crate) fn decompress(frame: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let size =
        get_frame_content_size(frame).ok().flatten().ok_or("not a zstd frame with a size")?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size > limit {
        return Err(format!("a compressed field declares {size} bytes"));
    }
    let decompress = |kept: &mut Option<Decompressor<'static>>| {
        let mut decompressor = match kept.take() {
            Some(decompressor) => decompressor,
            None => Decompressor::new()?,
        };
        let bytes = decompressor.decompress(frame, size)?;
        *kept = Some(decompressor);
        Ok(bytes)
    };
    DECOMPRESSOR.with_borrow_mut(decompress).map_err(|error: std::io::Error| error.to_string())
}

/// Runs work that would keep other tasks waiting.
pub(crate) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> StoreResult<T> + Send + 'static,
) -> StoreResult<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))
}
