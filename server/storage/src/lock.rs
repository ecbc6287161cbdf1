//! Exclusive use of a database file by one process. A second server on the same file would serve old
//! texts, because each keeps the documents it edits in memory.

use crate::error::OpenError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

/// How often and how long to wait for a process that is shutting down.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// Takes the lock of a database for `command`. It lasts until the file is dropped, or the process
/// ends in any way.
///
/// # Errors
/// `InUse` if another process has it; `Lock` if the file system does not support locks.
pub(crate) async fn take(database: &Path, command: &str) -> Result<File, OpenError> {
    let path = lock_path(database);
    let failed = |cause| OpenError::Lock { path: path.clone(), cause };
    let mut options = OpenOptions::new();
    let mut file =
        options.create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
    for left in (0..TRIES).rev() {
        match file.try_lock() {
            Ok(()) => {
                // Only for the message to others: the lock itself does not depend on it.
                let process = std::process::id();
                file.set_len(0)
                    .and_then(|()| write!(file, "izanagi {command} (process {process})"))
                    .map_err(failed)?;
                return Ok(file);
            }
            Err(TryLockError::WouldBlock) if left > 0 => tokio::time::sleep(PAUSE).await,
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
    }
    let mut holder = String::new();
    // Bounded, because anything may have written it.
    let _ = file.take(200).read_to_string(&mut holder);
    let holder = if holder.is_empty() { "another process".to_owned() } else { holder };
    Err(OpenError::InUse { path: database.to_owned(), holder })
}

/// The lock is beside the database itself, even if it was opened through a symbolic link.
fn lock_path(database: &Path) -> PathBuf {
    let mut path = database.canonicalize().unwrap_or_else(|_| database.to_owned()).into_os_string();
    path.push(".lock");
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_database_is_used_by_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("izanagi.db");
        let held = take(&database, "serve").await.unwrap();
        let refused = take(&database, "gc").await.unwrap_err().to_string();
        let holder = format!("izanagi serve (process {})", std::process::id());
        assert!(refused.contains(&holder), "{refused}");
        drop(held);
        take(&database, "gc").await.unwrap();
    }

    #[cfg(unix)]
    #[tokio::test(start_paused = true)]
    async fn a_symbolic_link_leads_to_the_same_lock() {
        let folder = tempfile::tempdir().unwrap();
        let (database, link) = (folder.path().join("izanagi.db"), folder.path().join("link.db"));
        std::fs::write(&database, "").unwrap();
        std::os::unix::fs::symlink(&database, &link).unwrap();
        let _held = take(&database, "serve").await.unwrap();
        assert!(matches!(take(&link, "serve").await, Err(OpenError::InUse { .. })));
    }
}
