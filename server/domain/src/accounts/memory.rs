//! The working memory of password hashes.

use argon2::Block;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Buffers that hashes reuse. An allocation per hash would leave the memory of each burst with the
/// allocator, and clearing 19 MiB takes a noticeable part of a hash. There are at most as many
/// buffers as hashes at once.
#[derive(Debug, Default)]
pub(super) struct Memory {
    free: Mutex<Vec<Vec<Block>>>,
    was_used: AtomicBool,
}

impl Memory {
    /// Runs a hash with a buffer of this many blocks. Its contents are arbitrary.
    pub(super) fn with<T>(&self, blocks: usize, hash: impl FnOnce(&mut [Block]) -> T) -> T {
        self.was_used.store(true, Relaxed);
        let mut buffer = self.free.lock().pop().unwrap_or_default();
        buffer.resize(blocks, Block::new());
        let result = hash(&mut buffer);
        self.free.lock().push(buffer);
        result
    }

    /// Frees the buffers, unless one was used since the last call.
    pub(super) fn release_if_idle(&self) {
        if !self.was_used.swap(false, Relaxed) {
            self.free.lock().clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_reused_until_none_is_needed() {
        let memory = Memory::default();
        let place = |blocks| memory.with(blocks, |buffer| (buffer.as_ptr() as usize, buffer.len()));
        let (first, second) = (place(8), place(4));
        assert_eq!((first.0, 4), second);
        memory.release_if_idle();
        assert_eq!(memory.free.lock().len(), 1);
        memory.release_if_idle();
        assert!(memory.free.lock().is_empty());
    }
}
