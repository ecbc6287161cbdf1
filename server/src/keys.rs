//! Signing keys (PRODUCT A3): generated at first start, readable only by the server, rotated with
//! an overlap. They are in a file, or, for several nodes, sealed in the relational store.

use crate::config::{Config, ConfigError};
use anyhow::{Context as _, Result};
use izanagi_domain::{
    accounts::{KeySet, SharedKeys, SigningKey},
    sealing::Sealer,
    storage::{Ids as _, Stores, SystemIds},
};
use izanagi_shared::rules::Secret;
use izanagi_storage::StorageConfig;
use std::{
    fs,
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// How many former keys stay valid for verification. Access tokens last 30 minutes, so one would be
/// enough.
const FORMER_KEPT: usize = 2;
/// Age from which a temporary file is taken for one that a crash has left.
const TEMPORARY_FOR: Duration = Duration::from_secs(60);
const END: &str = "-----END PRIVATE KEY-----";

/// Location of the signing keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// `keys.pem` in the data directory, generated if missing.
    DataDir,
    /// A file provided by the operator.
    File(PathBuf),
}

/// The current signing key and its predecessors.
#[derive(Debug, Clone)]
pub struct KeyRing {
    /// Key that signs new tokens.
    pub current: SigningKey,
    /// Keys that are still accepted for verification, newest first.
    pub former: Vec<SigningKey>,
}

impl From<KeyRing> for KeySet {
    fn from(ring: KeyRing) -> Self {
        Self { current: ring.current, others: ring.former }
    }
}

/// Returns the keys in the relational store, if the settings have their secret. If the store has none
/// yet, it takes over those of the data directory, so that tokens stay valid.
///
/// # Errors
/// The settings name a file too, or the one in the data directory cannot be read.
pub fn shared(
    config: &Config,
    given: &StorageConfig,
    stores: &Stores,
) -> Result<Option<SharedKeys>> {
    let Some(secret) = &config.keys_secret else { return Ok(None) };
    if let Some(file) = &config.keys_file {
        let allowed = "set only one of IZANAGI_KEYS_FILE and IZANAGI_KEYS_SECRET";
        return Err(
            ConfigError::new("IZANAGI_KEYS_FILE", file.display().to_string(), allowed).into()
        );
    }
    let source = KeySource::DataDir;
    let file = source.path(&config.data_dir);
    let first = if file.exists() { Some(KeyRing::read(&file)?.current) } else { None };
    let sealer = Sealer::new(secret.clone(), []);
    let (clock, ids) = (Arc::clone(&given.clock), Arc::clone(&given.ids));
    Ok(Some(SharedKeys::new(Arc::clone(&stores.relational.keys), sealer, clock, ids, first)))
}

/// Returns what seals secrets in the relational store: the secret of the settings, or else the signing
/// keys in the file; `None` if there is neither yet. What the keys in the file have sealed can still be
/// opened after the settings got a secret.
///
/// # Errors
/// The file cannot be read.
pub fn sealer(config: &Config) -> Result<Option<Sealer>> {
    let path = config.keys().path(&config.data_dir);
    let mut secrets = Vec::from_iter(config.keys_secret.clone());
    if path.exists() {
        let KeyRing { current, former } = KeyRing::read(&path)?;
        let keys = std::iter::once(current).chain(former);
        secrets.extend(keys.map(|key| Secret::new(key.for_storage())));
    }
    let mut secrets = secrets.into_iter();
    Ok(secrets.next().map(|current| Sealer::new(current, secrets)))
}

impl KeySource {
    fn path(&self, data_dir: &Path) -> PathBuf {
        match self {
            Self::DataDir => data_dir.join("keys.pem"),
            Self::File(path) => path.clone(),
        }
    }

    /// Reads the keys. Generates them if the source is the data directory and has none.
    ///
    /// # Errors
    /// Fails if the file cannot be read, is readable by other users or contains no key.
    pub fn load(&self, data_dir: &Path) -> Result<KeyRing> {
        let path = self.path(data_dir);
        remove_left_behind(&path);
        if *self == Self::DataDir && !path.exists() {
            let ring = KeyRing { current: SigningKey::generate()?, former: Vec::new() };
            if ring.create(&path)? {
                return Ok(ring);
            }
        }
        KeyRing::read(&path)
    }

    /// Reads the keys without generating any; returns the file if it exists.
    ///
    /// # Errors
    /// As [`KeySource::load`].
    pub fn check(&self, data_dir: &Path) -> Result<Option<PathBuf>> {
        let path = self.path(data_dir);
        if *self == Self::DataDir && !path.exists() {
            return Ok(None);
        }
        KeyRing::read(&path)?;
        Ok(Some(path))
    }

    /// Generates a new signing key; the current one stays valid for verification.
    ///
    /// # Errors
    /// As [`KeySource::load`]; also fails if the file cannot be written.
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
        let mode = fs::metadata(path).with_context(|| format!("{shown}: cannot read file"))?;
        let others = mode.permissions().mode() & 0o077;
        anyhow::ensure!(
            others == 0,
            "{shown}: the signing keys are readable by other users; run chmod 600 on the file"
        );
        let text =
            fs::read_to_string(path).with_context(|| format!("{shown}: cannot read file"))?;
        let mut keys = text
            .split_inclusive(END)
            .map(str::trim)
            .filter(|key| !key.is_empty())
            .map(|pem| SigningKey::from_pem(Secret::new(format!("{pem}\n"))));
        let current = keys.next().with_context(|| format!("{shown}: contains no key"))?;
        Ok(Self { current, former: keys.collect() })
    }

    /// Replaces the file.
    fn write(&self, path: &Path) -> Result<()> {
        self.put(path, |temporary| fs::rename(temporary, path))
    }

    /// Creates the file. Returns `false` if another process has just created it: both must use the
    /// same keys.
    fn create(&self, path: &Path) -> Result<bool> {
        self.create_by(path, |temporary| fs::hard_link(temporary, path))
    }

    fn create_by(&self, path: &Path, link: impl FnOnce(&Path) -> io::Result<()>) -> Result<bool> {
        let mut created = true;
        self.put(path, |temporary| {
            let linked = link(temporary).or_else(|error| match error.kind() {
                ErrorKind::AlreadyExists => Err(error),
                // Not every file system has hard links, and they report that differently. A crash
                // while this writes leaves a file without a key, which the next start reports.
                _ => self.write_new(path),
            });
            match linked {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => created = false,
                linked => linked?,
            }
            fs::remove_file(temporary)
        })?;
        Ok(created)
    }

    /// Writes a file that does not exist yet.
    fn write_new(&self, path: &Path) -> io::Result<()> {
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let mut write = || {
            for key in std::iter::once(&self.current).chain(&self.former) {
                file.write_all(key.for_storage().as_bytes())?;
            }
            file.sync_all()
        };
        write().inspect_err(|_| {
            let _ = fs::remove_file(path);
        })
    }

    /// Writes to a temporary file and then puts it in its place, so that a crash leaves either the
    /// old or the new file, and another process never reads a part of it.
    fn put(&self, path: &Path, place: impl FnOnce(&Path) -> io::Result<()>) -> Result<()> {
        let temporary = path.with_extension(format!("{}.new", SystemIds.uuid()));
        let write = || -> io::Result<()> {
            self.write_new(&temporary)?;
            place(&temporary)?;
            // Without this, the new name may be lost in a crash.
            fs::File::open(folder(path))?.sync_all()
        };
        write().with_context(|| {
            // Fails if it has been put in its place.
            let _ = fs::remove_file(&temporary);
            format!("{}: cannot write file", path.display())
        })
    }
}

fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Removes temporary files that a crash has left: they contain private keys. Another process may
/// still be writing a new one.
fn remove_left_behind(path: &Path) {
    let Ok(files) = fs::read_dir(folder(path)) else { return };
    for file in files.flatten() {
        let is_old = || {
            let modified = file.metadata().and_then(|facts| facts.modified());
            modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= TEMPORARY_FOR))
        };
        if is_temporary(&file.path(), path)
            && is_old()
            && let Err(error) = fs::remove_file(file.path())
        {
            let file = file.path();
            tracing::warn!(?file, %error, "cannot remove a former copy of the signing keys");
        }
    }
}

/// Whether a file has a name that [`KeyRing::put`] gives.
fn is_temporary(file: &Path, path: &Path) -> bool {
    let stem = file.file_stem().map(Path::new);
    file.extension().is_some_and(|end| end == "new")
        && stem.is_some_and(|stem| {
            let id = stem.extension().and_then(|id| id.to_str());
            stem.file_stem() == path.file_stem()
                && id.is_some_and(|id| uuid::Uuid::try_parse(id).is_ok())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_the_keys_that_a_crash_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, age| {
            let path = dir.path().join(name);
            let file = fs::File::create(&path).unwrap();
            let now = file.metadata().unwrap().modified().unwrap();
            file.set_modified(now - age).unwrap();
            path
        };
        let uuid = SystemIds.uuid();
        let left = file(&format!("keys.{uuid}.new"), TEMPORARY_FOR);
        let being_written = file(&format!("keys.{}.new", SystemIds.uuid()), Duration::ZERO);
        let others = ["keys.new", "keys.a.new", "keys.pem.new", &format!("other.{uuid}.new")]
            .map(|name| file(name, TEMPORARY_FOR));
        KeySource::DataDir.load(dir.path()).unwrap();
        assert!(!left.exists() && being_written.exists());
        assert!(others.iter().all(|path| path.exists()));
    }

    #[test]
    fn creates_keys_without_hard_links() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.pem");
        let ring = KeyRing { current: SigningKey::generate().unwrap(), former: Vec::new() };
        let create = || ring.create_by(&path, |_| Err(ErrorKind::PermissionDenied.into())).unwrap();
        assert!(create());
        assert!(!create(), "the keys of another process stay");
        let read = KeyRing::read(&path).unwrap();
        assert_eq!(read.current.for_storage(), ring.current.for_storage());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn generates_private_keys_only_once() {
        let dir = tempfile::tempdir().unwrap();
        let first = KeySource::DataDir.load(dir.path()).unwrap();
        let again = KeySource::DataDir.load(dir.path()).unwrap();
        assert_eq!(first.current.for_storage(), again.current.for_storage());
        let mode = fs::metadata(dir.path().join("keys.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn first_starts_at_the_same_time_use_the_same_keys() {
        let dir = tempfile::tempdir().unwrap();
        let together = std::sync::Barrier::new(4);
        let load = || {
            together.wait();
            KeySource::DataDir.load(dir.path()).unwrap().current.for_storage().to_owned()
        };
        let mut keys: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..4).map(|_| scope.spawn(load)).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        keys.dedup();
        assert_eq!(keys.len(), 1);
        let files: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(files.len(), 1, "{files:?}");
    }

    #[test]
    fn rotation_keeps_the_former_key() {
        let dir = tempfile::tempdir().unwrap();
        let first = KeySource::DataDir.load(dir.path()).unwrap();
        KeySource::DataDir.rotate(dir.path()).unwrap();
        let ring = KeySource::DataDir.load(dir.path()).unwrap();
        assert_ne!(ring.current.for_storage(), first.current.for_storage());
        assert_eq!(ring.former[0].for_storage(), first.current.for_storage());
    }

    #[test]
    fn rejects_a_file_readable_by_others() {
        let dir = tempfile::tempdir().unwrap();
        KeySource::DataDir.load(dir.path()).unwrap();
        let path = dir.path().join("keys.pem");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = KeySource::File(path).load(dir.path()).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}
