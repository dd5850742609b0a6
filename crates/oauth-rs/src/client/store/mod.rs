//! Grants in a file that only the user can read, for command-line clients.

mod record;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::flow::StoredGrant;
use crate::uri::{Issuer, ResourceId};

/// The longest file that is read.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// The most grants in one file; the oldest makes room for a new one.
pub const MAX_GRANTS: usize = 64;

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
///
/// # Security
/// The tokens are in the file as they are; on systems without Unix permissions nothing is checked.
#[derive(Debug, Clone)]
pub struct FileStore {
    path: PathBuf,
}

impl FileStore {
    /// Names the file, and checks it if it is there; the first [`FileStore::save`] makes it.
    ///
    /// # Errors
    /// The file is there but exposed, damaged or unreadable.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreFailed> {
        let store = Self { path: path.into() };
        store.read()?;
        Ok(store)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The grant for a server's address: of the resource that covers it, the one saved last.
    ///
    /// # Errors
    /// The file is exposed, damaged or unreadable.
    pub fn find(&self, server_url: &str) -> Result<Option<StoredGrant>, StoreFailed> {
        Ok(self
            .read()?
            .into_iter()
            .rev()
            .find(|grant| grant.resource.covers(server_url)))
    }

    /// The grant for exactly this resource and issuer.
    ///
    /// # Errors
    /// The file is exposed, damaged or unreadable.
    pub fn load(
        &self,
        resource: &ResourceId,
        issuer: &Issuer,
    ) -> Result<Option<StoredGrant>, StoreFailed> {
        let same = |grant: &StoredGrant| grant.resource == *resource && grant.issuer == *issuer;
        Ok(self.read()?.into_iter().find(same))
    }

    /// Keeps a grant, instead of any for the same resource and issuer.
    ///
    /// The oldest make room when there are too many, or when the file would become too long.
    ///
    /// # Errors
    /// The file is exposed or damaged, or cannot be written, or the grant could not be read again.
    pub fn save(&self, grant: &StoredGrant) -> Result<(), StoreFailed> {
        // A scope may have become longer than any that is read; one such grant would spoil the file.
        if !record::can_be_read_again(grant) {
            return Err(StoreFailed::Unfit {
                path: self.path.clone(),
            });
        }
        self.change(|grants| {
            grants.retain(|own| own.resource != grant.resource || own.issuer != grant.issuer);
            if grants.len() >= MAX_GRANTS {
                grants.remove(0);
            }
            grants.push(grant.clone());
        })
    }

    /// Forgets the grant for exactly this resource and issuer.
    ///
    /// # Errors
    /// The file is exposed or damaged, or cannot be written.
    pub fn remove(&self, resource: &ResourceId, issuer: &Issuer) -> Result<(), StoreFailed> {
        self.change(|grants| {
            grants.retain(|own| own.resource != *resource || own.issuer != *issuer);
        })
    }

    fn change(&self, change: impl FnOnce(&mut Vec<StoredGrant>)) -> Result<(), StoreFailed> {
        if let Some(folder) = self.folder() {
            make_folder(folder).map_err(|source| self.io(source))?;
        }
        // The lock is on a file of its own, since the file with the grants is replaced.
        let lock = private()
            .create(true)
            .truncate(false)
            .open(self.beside("lock"))
            .map_err(|source| self.io(source))?;
        lock.lock().map_err(|source| self.io(source))?;
        let mut grants = self.read()?;
        change(&mut grants);
        let bytes = record::write(&mut grants).map_err(|source| self.io(source))?;
        self.write(&bytes).map_err(|source| self.io(source))
        // Closing the file, here, releases the lock.
    }

    fn read(&self) -> Result<Vec<StoredGrant>, StoreFailed> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
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
        record::parse(&bytes).map_err(|why| self.damaged(why))
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
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
