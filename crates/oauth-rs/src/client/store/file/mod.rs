//! Grants in a file that only the user can read, for command-line clients.

mod format;
mod lock;
mod offload;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use self::offload::offload;
use super::grants::Grants;
use super::{Kept, Standing, StoreError, Storing, TokenStore, Version};
use crate::client::flow::StoredGrant;
use crate::uri::{Issuer, ResourceId};

/// The longest file that is read: 64 grants of 16 KiB, the length of the longest token.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// How long a change waits for others that change the file, unless [`FileStore::with_lock_wait`] says otherwise.
///
/// A change takes milliseconds; only a process that was stopped in the middle of one holds the lock longer.
pub const DEFAULT_LOCK_WAIT: Duration = Duration::from_secs(5);

/// Why the file could not be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreFailed {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder at hand.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// Others can read or write the file.
    #[error(
        "{} can be read or changed by other users (mode {mode:03o}); run: chmod 600 {}",
        path.display(), path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is longer than [`MAX_FILE_BYTES`].
    #[error("{} is longer than {MAX_FILE_BYTES} bytes; move it away to start anew", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The grant would make a file that cannot be read again; the file is left as it is.
    #[error("{} cannot keep this grant: its scope is too long", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
    },
    /// Another process kept the lock for longer than was waited.
    #[error("another process keeps {} locked; end it and try again", path.display())]
    Locked {
        /// The lock.
        path: PathBuf,
    },
    /// The file is not what this store writes; it is left as it is.
    #[error("{} is damaged ({why}); move it away to start anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// A file of grants, one for each resource and issuer.
///
/// It is made with mode 0600 and refused when group or others have any right to it.
/// Every change locks a file beside it, reads anew, writes a temporary file in the same folder, and
/// renames it over the old one, so that neither a crash nor another process leaves half a file.
/// A lock ends with the process that holds it.
///
/// As a [`TokenStore`] it works on a thread of its own for each change, so that no runtime is blocked.
///
/// No private key is in the file: a grant whose tokens are bound to a key has the key's thumbprint, and the program
/// brings the key.
///
/// # Security
/// The tokens are in the file as they are; on systems without Unix permissions nothing is checked.
#[derive(Debug, Clone)]
pub struct FileStore {
    path: PathBuf,
    lock_wait: Duration,
}

impl FileStore {
    /// Names the file, and checks it if it is there; the first change makes it.
    ///
    /// # Errors
    /// The file is there but exposed, damaged or unreadable.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreFailed> {
        let store = Self {
            path: path.into(),
            lock_wait: DEFAULT_LOCK_WAIT,
        };
        store.read()?;
        Ok(store)
    }

    /// The same file, with another time to wait for others that change it.
    #[must_use]
    pub fn with_lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut Grants) -> Option<T>,
    ) -> Result<Option<T>, StoreFailed> {
        if let Some(folder) = self.folder() {
            make_folder(folder).map_err(|source| self.io(source))?;
        }
        let lock = self.lock()?;
        let mut grants = self.read()?;
        let done = change(&mut grants);
        if done.is_some() {
            let bytes = format::write(&mut grants).map_err(|source| self.io(source))?;
            self.put_in_place(&bytes)
                .map_err(|source| self.io(source))?;
        }
        // Closing the file releases the lock.
        drop(lock);
        Ok(done)
    }

    fn lock(&self) -> Result<File, StoreFailed> {
        let path = self.beside("lock");
        match lock::wait(&path, self.lock_wait) {
            Ok(Some(lock)) => Ok(lock),
            Ok(None) => Err(StoreFailed::Locked { path }),
            Err(source) => Err(self.io(source)),
        }
    }

    /// Does `work` on a thread of its own.
    fn apart<'a, T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, StoreFailed> + Send + 'static,
    ) -> Storing<'a, T> {
        let own = self.clone();
        let started = offload(move || work(&own)).map_err(|source| self.io(source));
        Box::pin(async move {
            match started.map_err(StoreError::new)?.await {
                Some(done) => done.map_err(StoreError::new),
                None => Err(StoreError::new("the file could not be worked on")),
            }
        })
    }

    fn read(&self) -> Result<Grants, StoreFailed> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Grants::default()),
            Err(source) => return Err(self.io(source)),
        };
        // The rights of the file that was opened, not of whatever has the name by now.
        if let Some(mode) = exposed(&file).map_err(|source| self.io(source))? {
            return Err(StoreFailed::Exposed {
                path: self.path.clone(),
                mode,
            });
        }
        let mut bytes = zeroize::Zeroizing::new(Vec::new());
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| self.io(source))?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_FILE_BYTES) {
            return Err(StoreFailed::TooLong {
                path: self.path.clone(),
            });
        }
        format::parse(&bytes).map_err(|why| self.damaged(why))
    }

    fn put_in_place(&self, bytes: &[u8]) -> io::Result<()> {
        // Under the lock nobody else writes this name; a leftover of a crash is made anew.
        let temporary = self.beside("new");
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, &self.path)?;
        // The rename itself is durable once the folder is.
        if cfg!(unix)
            && let Some(folder) = self.folder()
        {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    fn folder(&self) -> Option<&Path> {
        self.path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
    }

    /// The file's own name with an ending added, in the same folder.
    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(ending);
        self.path.with_file_name(name)
    }

    fn io(&self, source: io::Error) -> StoreFailed {
        StoreFailed::Io {
            path: self.path.clone(),
            source,
        }
    }

    fn damaged(&self, why: &'static str) -> StoreFailed {
        StoreFailed::Damaged {
            path: self.path.clone(),
            why,
        }
    }
}

impl TokenStore for FileStore {
    fn find<'a>(&'a self, server_url: &'a str) -> Storing<'a, Option<Kept>> {
        let server_url = server_url.to_owned();
        self.apart(move |own| Ok(own.read()?.find(&server_url).cloned()))
    }

    fn load<'a>(
        &'a self,
        resource: &'a ResourceId,
        issuer: &'a Issuer,
    ) -> Storing<'a, Option<Kept>> {
        let (resource, issuer) = (resource.clone(), issuer.clone());
        self.apart(move |own| Ok(own.read()?.load(&resource, &issuer).cloned()))
    }

    /// When the file would become too long, the oldest other grants make room, those that are being renewed last.
    fn write<'a>(
        &'a self,
        read: Option<Version>,
        grant: &'a StoredGrant,
        standing: Standing,
    ) -> Storing<'a, Option<Version>> {
        let grant = grant.clone();
        self.apart(move |own| {
            // A scope may have become longer than any that is read; one such grant would spoil the file.
            if !format::can_be_read_again(&grant, &standing) {
                let path = own.path.clone();
                return Err(StoreFailed::Unfit { path });
            }
            own.change(|grants| grants.write(read, &grant, standing))
        })
    }

    fn remove<'a>(
        &'a self,
        resource: &'a ResourceId,
        issuer: &'a Issuer,
        read: Version,
    ) -> Storing<'a, bool> {
        let (resource, issuer) = (resource.clone(), issuer.clone());
        self.apart(move |own| {
            let removed =
                own.change(|grants| grants.remove(&resource, &issuer, read).then_some(()));
            Ok(removed?.is_some())
        })
    }
}

/// Makes a file; what has its name by now, a link or a file that others can read, is not written to.
fn create(path: &Path) -> io::Result<File> {
    private().create_new(true).open(path)
}

/// Opens for writing; a file that is made gets mode 0600.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the folders that are missing, for the user alone.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The permission bits, if group or others have any.
#[cfg(unix)]
fn exposed(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

/// Without Unix permissions there is nothing to look at.
#[cfg(not(unix))]
fn exposed(_: &File) -> io::Result<Option<u32>> {
    Ok(None)
}
