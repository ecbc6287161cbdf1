//! Reading zstd frames from the stores.

/// More than any frame holds: a larger claim is damage.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// Decompresses a frame that states its size; `None` if it is damaged.
pub(crate) fn decompress(stored: &[u8]) -> Option<Vec<u8>> {
    let size = zstd::zstd_safe::get_frame_content_size(stored).ok().flatten()?;
    let size = usize::try_from(size).ok().filter(|size| *size <= MAX_BYTES)?;
    zstd::bulk::decompress(stored, size).ok()
}
