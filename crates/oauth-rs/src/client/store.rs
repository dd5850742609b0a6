//! Grants in a file that only the user can read, for command-line clients.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::exchange::Client;
use super::flow::StoredGrant;
use crate::json;
use crate::metadata::client::AuthMethod;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::{Issuer, RedirectUri, ResourceId};

/// The longest file that is read.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// The most grants in one file; the oldest makes room for a new one.
pub const MAX_GRANTS: usize = 64;

const VERSION: u32 = 1;

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

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    grants: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    resource: String,
    issuer: String,
    token_endpoint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<String>,
    client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    token_endpoint_auth_method: AuthMethod,
    redirect_uri: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requested_scope: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    granted_scope: Option<String>,
    access_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
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
    /// # Errors
    /// The file is exposed or damaged, or cannot be written.
    pub fn save(&self, grant: &StoredGrant) -> Result<(), StoreFailed> {
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
        let lock = private(&self.beside("lock")).map_err(|source| self.io(source))?;
        lock.lock().map_err(|source| self.io(source))?;
        let mut grants = self.read()?;
        change(&mut grants);
        self.write(&grants).map_err(|source| self.io(source))
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
        let document: Document =
            json::object(&bytes).map_err(|_| self.damaged("not its format"))?;
        if document.version != VERSION {
            return Err(self.damaged("another version"));
        }
        let grants = document
            .grants
            .into_iter()
            .map(restored)
            .collect::<Option<Vec<_>>>();
        grants.ok_or_else(|| self.damaged("a malformed grant"))
    }

    fn write(&self, grants: &[StoredGrant]) -> io::Result<()> {
        let document = Document {
            version: VERSION,
            grants: grants.iter().map(record).collect(),
        };
        let mut bytes = zeroize::Zeroizing::new(serde_json::to_vec_pretty(&document)?);
        bytes.push(b'\n');
        // Under the lock nobody else writes this name; a leftover of a crash is made anew.
        let temporary = self.beside("new");
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private(&temporary)?;
        file.write_all(&bytes)?;
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

/// Opens a file for writing, made with mode 0600 if it is not there.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
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

fn record(grant: &StoredGrant) -> Record {
    let text = |secret: &Secret| secret.expose().to_owned();
    Record {
        resource: grant.resource.to_string(),
        issuer: grant.issuer.to_string(),
        token_endpoint: grant.token_endpoint.clone(),
        revocation_endpoint: grant.revocation_endpoint.clone(),
        client_id: grant.client.client_id.clone(),
        client_secret: grant.client.secret.as_ref().map(text),
        token_endpoint_auth_method: grant.client.method,
        redirect_uri: grant.redirect_uri.to_string(),
        requested_scope: grant.requested_scope.as_ref().map(ToString::to_string),
        granted_scope: grant.granted_scope.as_ref().map(ToString::to_string),
        access_token: text(&grant.access_token),
        refresh_token: grant.refresh_token.as_ref().map(text),
        expires_at: grant.expires_at.map(|end| end.0),
    }
}

fn restored(record: Record) -> Option<StoredGrant> {
    let scope = |text: Option<String>| text.map(|text| ScopeSet::parse(&text)).transpose().ok();
    Some(StoredGrant {
        resource: ResourceId::parse(&record.resource).ok()?,
        issuer: Issuer::parse(&record.issuer).ok()?,
        token_endpoint: record.token_endpoint,
        revocation_endpoint: record.revocation_endpoint,
        client: Client {
            client_id: record.client_id,
            secret: record.client_secret.map(Secret::new),
            method: record.token_endpoint_auth_method,
        },
        redirect_uri: RedirectUri::parse(&record.redirect_uri).ok()?,
        requested_scope: scope(record.requested_scope)?,
        granted_scope: scope(record.granted_scope)?,
        access_token: Secret::new(record.access_token),
        refresh_token: record.refresh_token.map(Secret::new),
        expires_at: record.expires_at.map(UnixSeconds),
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A folder of its own for each test, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("oauth-rs-store-{}-{number}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        fn file(&self) -> PathBuf {
            self.0.join("deep").join("grants.json")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            // Nothing depends on whether the folder could be removed.
            let _removed = fs::remove_dir_all(&self.0);
        }
    }

    fn grant(resource: &str, issuer: &str, token: &str) -> StoredGrant {
        StoredGrant {
            resource: ResourceId::parse(resource).unwrap(),
            issuer: Issuer::parse(issuer).unwrap(),
            token_endpoint: format!("{issuer}/token"),
            revocation_endpoint: None,
            client: Client::public("c"),
            redirect_uri: RedirectUri::parse("http://127.0.0.1/cb").unwrap(),
            requested_scope: Some(ScopeSet::parse("a b").unwrap()),
            granted_scope: None,
            access_token: Secret::new(token),
            refresh_token: Some(Secret::new("r")),
            expires_at: Some(UnixSeconds(7)),
        }
    }

    const RS: &str = "https://rs.example/mcp";
    const AS: &str = "https://as.example";

    #[test]
    fn what_is_saved_is_found_and_only_the_user_can_read_it() {
        let folder = Folder::new();
        let store = FileStore::open(folder.file()).unwrap();
        assert!(store.find(RS).unwrap().is_none());
        store.save(&grant(RS, AS, "one")).unwrap();
        store.save(&grant(RS, AS, "two")).unwrap();
        store
            .save(&grant("https://other.example", AS, "three"))
            .unwrap();

        let again = FileStore::open(folder.file()).unwrap();
        let found = again.find("https://rs.example/mcp/x").unwrap().unwrap();
        assert!(found.access_token.ct_eq("two"));
        assert!(found.refresh_token.unwrap().ct_eq("r"));
        assert_eq!(found.requested_scope.unwrap().to_string(), "a b");
        assert_eq!(found.granted_scope, None);
        assert_eq!(found.expires_at, Some(UnixSeconds(7)));
        assert_eq!(again.read().unwrap().len(), 2);
        for path in [folder.file(), again.beside("lock")] {
            assert_eq!(
                fs::metadata(path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        let deep = fs::metadata(folder.file().parent().unwrap()).unwrap();
        assert_eq!(deep.permissions().mode() & 0o777, 0o700);
        assert!(!again.beside("new").exists());
    }

    #[test]
    fn grants_are_kept_apart_by_issuer() {
        let folder = Folder::new();
        let store = FileStore::open(folder.file()).unwrap();
        let other = "https://other.example";
        store.save(&grant(RS, AS, "one")).unwrap();
        store.save(&grant(RS, other, "two")).unwrap();
        let (resource, issuer) = (ResourceId::parse(RS).unwrap(), Issuer::parse(AS).unwrap());
        assert!(
            store
                .load(&resource, &issuer)
                .unwrap()
                .unwrap()
                .access_token
                .ct_eq("one")
        );
        store.remove(&resource, &issuer).unwrap();
        assert!(store.load(&resource, &issuer).unwrap().is_none());
        assert!(store.find(RS).unwrap().unwrap().access_token.ct_eq("two"));
    }

    #[test]
    fn an_exposed_file_is_refused_with_the_remedy() {
        let folder = Folder::new();
        let store = FileStore::open(folder.file()).unwrap();
        store.save(&grant(RS, AS, "one")).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601] {
            fs::set_permissions(folder.file(), fs::Permissions::from_mode(mode)).unwrap();
            let refused = store.find(RS).unwrap_err();
            assert!(matches!(refused, StoreFailed::Exposed { mode: found, .. } if found == mode));
            assert!(refused.to_string().contains("chmod 600"), "{refused}");
            assert!(store.save(&grant(RS, AS, "two")).is_err());
        }
    }

    #[test]
    fn a_damaged_file_is_named_and_never_overwritten() {
        let folder = Folder::new();
        let store = FileStore::open(folder.file()).unwrap();
        store.save(&grant(RS, AS, "one")).unwrap();
        let good = fs::read_to_string(folder.file()).unwrap();
        let half = good.get(..good.len() / 2).unwrap();
        for text in ["", "{}", "[1,[]]", half, &good.replace(AS, "no issuer")] {
            fs::write(folder.file(), text).unwrap();
            let refused = store.save(&grant(RS, AS, "two")).unwrap_err();
            assert!(matches!(refused, StoreFailed::Damaged { .. }), "{refused}");
            assert!(refused.to_string().contains("grants.json"), "{refused}");
            assert_eq!(fs::read_to_string(folder.file()).unwrap(), text);
        }
        fs::write(
            folder.file(),
            good.replace("\"version\": 1", "\"version\": 2"),
        )
        .unwrap();
        assert!(
            FileStore::open(folder.file())
                .unwrap_err()
                .to_string()
                .contains("another version")
        );
        let long = vec![b' '; usize::try_from(MAX_FILE_BYTES).unwrap() + 1];
        fs::write(folder.file(), long).unwrap();
        assert!(matches!(
            store.find(RS).unwrap_err(),
            StoreFailed::TooLong { .. }
        ));
    }

    #[test]
    fn a_leftover_of_a_crash_is_replaced_and_the_oldest_makes_room() {
        let folder = Folder::new();
        let store = FileStore::open(folder.file()).unwrap();
        store.save(&grant(RS, AS, "one")).unwrap();
        fs::write(store.beside("new"), "half of").unwrap();
        for number in 0..MAX_GRANTS {
            store
                .save(&grant(&format!("https://rs{number}.example"), AS, "x"))
                .unwrap();
        }
        assert_eq!(store.read().unwrap().len(), MAX_GRANTS);
        assert!(store.find(RS).unwrap().is_none());
        assert_eq!(
            fs::metadata(folder.file()).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn parallel_changes_are_all_kept() {
        let folder = Folder::new();
        let store = FileStore::open(folder.file()).unwrap();
        std::thread::scope(|scope| {
            for number in 0..16 {
                let store = &store;
                scope.spawn(move || {
                    store
                        .save(&grant(&format!("https://rs{number}.example"), AS, "x"))
                        .unwrap();
                });
            }
        });
        assert_eq!(store.read().unwrap().len(), 16);
    }
}
