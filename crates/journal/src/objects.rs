//! Bytes by their content: assets, and what is too long for a row. Never changed, never doubled.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use showrunner_engine::id::Digest;

use crate::error::JournalError;

/// What is known about stored bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Their SHA-256, which is also their address.
    pub digest: Digest,
    /// How many.
    pub bytes: u64,
}

/// Bytes by their SHA-256. All calls block; the caller chooses the thread.
pub trait Objects: Send + Sync + std::fmt::Debug {
    /// Stores bytes. They are durable when this returns; the same bytes are stored once.
    fn put(&self, bytes: &[u8]) -> Result<Digest, JournalError>;
    /// All of an object's bytes; `None` when it is not there.
    fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, JournalError>;
    /// Some of an object's bytes, from `offset`, at most `length`, fewer at its end.
    fn get_range(
        &self,
        digest: &Digest,
        offset: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, JournalError>;
    /// How large it is; `None` when it is not there.
    fn stat(&self, digest: &Digest) -> Result<Option<ObjectInfo>, JournalError>;
    /// Every object, in order of digests.
    fn list(&self) -> Result<Vec<ObjectInfo>, JournalError>;
    /// The objects whose bytes are not those of their address.
    fn damaged(&self) -> Result<Vec<Digest>, JournalError> {
        let mut damaged = Vec::new();
        for info in self.list()? {
            let bytes = self.get(&info.digest)?;
            if bytes.is_none_or(|bytes| Digest::of(&bytes) != info.digest) {
                damaged.push(info.digest);
            }
        }
        Ok(damaged)
    }
    /// The file that holds an object, when it is one of this machine.
    fn local_path(&self, _digest: &Digest) -> Result<Option<PathBuf>, JournalError> {
        Ok(None)
    }
}

/// Objects as files of a directory, spread over 256 folders by their first two digits.
#[derive(Debug)]
pub struct LocalObjects {
    root: PathBuf,
    /// Tells the unfinished files of this process apart.
    unfinished: AtomicU64,
}

impl LocalObjects {
    /// Objects under `root`, which is made when it is not there.
    pub fn open(root: &Path) -> Result<Self, JournalError> {
        std::fs::create_dir_all(root.join("tmp")).map_err(JournalError::storage)?;
        Ok(Self { root: root.to_owned(), unfinished: AtomicU64::new(0) })
    }

    /// Makes the object in `file` one of these as well: by a link, or by a copy where the file
    /// system does not link.
    pub(crate) fn link(&self, file: &Path, digest: &Digest) -> Result<(), JournalError> {
        let path = self.path_of(digest)?;
        if path.exists() {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| storage(&error))?;
        }
        if std::fs::hard_link(file, &path).is_ok() {
            return Ok(());
        }
        let bytes = std::fs::read(file).map_err(|error| storage(&error))?;
        self.put(&bytes).map(drop)
    }

    fn path_of(&self, digest: &Digest) -> Result<PathBuf, JournalError> {
        let text = digest.as_str();
        let is_digest = text.len() == 64
            && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        match text.get(..2) {
            Some(folder) if is_digest => Ok(self.root.join(folder).join(text)),
            // A path is only ever made of what is a digest.
            _ => Err(JournalError::Unusable(format!("{text:?} is not a SHA-256 in hexadecimal"))),
        }
    }

    fn open_object(&self, digest: &Digest) -> Result<Option<File>, JournalError> {
        match File::open(self.path_of(digest)?) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(storage(&error)),
        }
    }
}

impl Objects for LocalObjects {
    fn put(&self, bytes: &[u8]) -> Result<Digest, JournalError> {
        let digest = Digest::of(bytes);
        let path = self.path_of(&digest)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if std::fs::metadata(&path).is_ok_and(|found| found.len() == length) {
            return Ok(digest);
        }
        let number = self.unfinished.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.root.join("tmp").join(format!("{}-{number}", std::process::id()));
        let stored = store(&unfinished, &path, bytes);
        if stored.is_err() && unfinished.exists() {
            // Left over bytes would only take space.
            drop(std::fs::remove_file(&unfinished));
        }
        stored.map_err(|error| storage(&error))?;
        Ok(digest)
    }

    fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, JournalError> {
        let Some(mut file) = self.open_object(digest)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| storage(&error))?;
        Ok(Some(bytes))
    }

    fn get_range(
        &self,
        digest: &Digest,
        offset: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, JournalError> {
        let Some(mut file) = self.open_object(digest)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(offset)).map_err(|error| storage(&error))?;
        file.take(length).read_to_end(&mut bytes).map_err(|error| storage(&error))?;
        Ok(Some(bytes))
    }

    fn stat(&self, digest: &Digest) -> Result<Option<ObjectInfo>, JournalError> {
        match std::fs::metadata(self.path_of(digest)?) {
            Ok(found) => Ok(Some(ObjectInfo { digest: digest.clone(), bytes: found.len() })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(storage(&error)),
        }
    }

    fn list(&self) -> Result<Vec<ObjectInfo>, JournalError> {
        let mut objects = Vec::new();
        for folder in std::fs::read_dir(&self.root).map_err(|error| storage(&error))? {
            let folder = folder.map_err(|error| storage(&error))?;
            if folder.file_name().len() != 2 {
                continue;
            }
            for file in std::fs::read_dir(folder.path()).map_err(|error| storage(&error))? {
                let file = file.map_err(|error| storage(&error))?;
                let bytes = file.metadata().map_err(|error| storage(&error))?.len();
                if let Some(name) = file.file_name().to_str() {
                    objects.push(ObjectInfo { digest: name.into(), bytes });
                }
            }
        }
        objects.sort_by(|a, b| a.digest.cmp(&b.digest));
        Ok(objects)
    }

    fn local_path(&self, digest: &Digest) -> Result<Option<PathBuf>, JournalError> {
        self.path_of(digest).map(Some)
    }
}

/// The bytes are on the disk before the name is, and the name before anybody is told.
fn store(unfinished: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    let Some(folder) = path.parent() else { return Ok(()) };
    if !folder.exists() {
        std::fs::create_dir_all(folder)?;
        if let Some(root) = folder.parent() {
            File::open(root)?.sync_all()?;
        }
    }
    std::fs::rename(unfinished, path)?;
    File::open(folder)?.sync_all()
}

fn storage(error: &std::io::Error) -> JournalError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        JournalError::Full
    } else {
        JournalError::Storage(error.to_string())
    }
}
