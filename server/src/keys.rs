//! Where the signing keys live (PRODUCT A3): made at first start, readable by the server alone,
//! rotated by command with overlap.

use anyhow::{Context as _, Result};
use izanagi_domain::accounts::SigningKey;
use izanagi_shared::rules::Secret;
use std::{
    fs,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// How many former keys go on verifying. Access tokens last 30 minutes, so one would do.
const FORMER_KEPT: usize = 2;
const END: &str = "-----END PRIVATE KEY-----";

/// Where the keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// `keys.pem` in the data folder, made when missing.
    DataDir,
    /// A file that somebody else provides.
    File(PathBuf),
}

/// The key that signs, and those that signed before.
#[derive(Debug, Clone)]
pub struct KeyRing {
    /// Signs.
    pub current: SigningKey,
    /// Still verify, newest first.
    pub former: Vec<SigningKey>,
}

impl KeySource {
    fn path(&self, data_dir: &Path) -> PathBuf {
        match self {
            Self::DataDir => data_dir.join("keys.pem"),
            Self::File(path) => path.clone(),
        }
    }

    /// Reads the keys; makes them in the data folder when there are none.
    ///
    /// # Errors
    /// The file cannot be read, is readable by others, or holds no key.
    pub fn load(&self, data_dir: &Path) -> Result<KeyRing> {
        let path = self.path(data_dir);
        if *self == Self::DataDir && !path.exists() {
            let ring = KeyRing { current: SigningKey::generate()?, former: Vec::new() };
            ring.write(&path)?;
            return Ok(ring);
        }
        KeyRing::read(&path)
    }

    /// Makes a new key; the present one goes on verifying.
    ///
    /// # Errors
    /// As [`KeySource::load`], or the file cannot be written.
    pub fn rotate(&self, data_dir: &Path) -> Result<KeyRing> {
        let mut ring = self.load(data_dir)?;
        ring.former.insert(0, std::mem::replace(&mut ring.current, SigningKey::generate()?));
        ring.former.truncate(FORMER_KEPT);
        ring.write(&self.path(data_dir))?;
        Ok(ring)
    }
}

impl KeyRing {
    fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let mode = fs::metadata(path).with_context(|| format!("{shown}: cannot be read"))?;
        let others = mode.permissions().mode() & 0o077;
        anyhow::ensure!(others == 0, "{shown}: others may read the signing keys; chmod 600 it");
        let text = fs::read_to_string(path).with_context(|| format!("{shown}: cannot be read"))?;
        let mut keys = text
            .split_inclusive(END)
            .map(str::trim)
            .filter(|key| !key.is_empty())
            .map(|pem| SigningKey::from_pem(Secret::new(format!("{pem}\n"))));
        let current = keys.next().with_context(|| format!("{shown}: holds no key"))?;
        Ok(Self { current, former: keys.collect() })
    }

    /// Written beside and moved over, so that a crash leaves the old file or the new one.
    fn write(&self, path: &Path) -> Result<()> {
        let temporary = path.with_extension("pem.new");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)
            .with_context(|| format!("{}: cannot be written", temporary.display()))?;
        for key in std::iter::once(&self.current).chain(&self.former) {
            file.write_all(key.for_storage().as_bytes())?;
        }
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_made_once_and_only_the_owner_may_read_them() {
        let dir = tempfile::tempdir().unwrap();
        let first = KeySource::DataDir.load(dir.path()).unwrap();
        let again = KeySource::DataDir.load(dir.path()).unwrap();
        assert_eq!(first.current.for_storage(), again.current.for_storage());
        let mode = fs::metadata(dir.path().join("keys.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_rotation_keeps_the_former_key() {
        let dir = tempfile::tempdir().unwrap();
        let first = KeySource::DataDir.load(dir.path()).unwrap();
        KeySource::DataDir.rotate(dir.path()).unwrap();
        let ring = KeySource::DataDir.load(dir.path()).unwrap();
        assert_ne!(ring.current.for_storage(), first.current.for_storage());
        assert_eq!(ring.former[0].for_storage(), first.current.for_storage());
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        KeySource::DataDir.load(dir.path()).unwrap();
        let path = dir.path().join("keys.pem");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = KeySource::File(path).load(dir.path()).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}
