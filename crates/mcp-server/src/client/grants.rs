//! Where grants are kept between commands, and the lock under which one of them is renewed.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use oauth_rs::client::flow::StoredGrant;
use oauth_rs::client::store::{self, FileStore, TokenStore as _};
use oauth_rs::jose::{KeyRejected, SigningKey};
use oauth_rs::time::UnixSeconds;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::error::CommandError;
use crate::data::{DataError, secret_at};

/// The file with the grants.
#[derive(Clone, Debug)]
pub(super) struct Grants {
    store: FileStore,
}

impl Grants {
    /// The file that was named, or the one in the user's data folder.
    pub(super) fn open(named: Option<PathBuf>) -> Result<Self, CommandError> {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let path = match named {
            Some(path) => path,
            None => default_path(variable("XDG_DATA_HOME"), variable("HOME")).ok_or_else(|| {
                CommandError::Usage(
                    "there is no home folder to keep grants in; name a file with --store"
                        .to_owned(),
                )
            })?,
        };
        Ok(Self {
            store: FileStore::open(path).map_err(failed)?,
        })
    }

    /// The key that tokens are bound to wherever a server can; made the first time, and kept beside the grants.
    pub(super) fn key(&self) -> Result<Arc<SigningKey>, CommandError> {
        let made = || {
            let key = SigningKey::generate_es256().map_err(KeyFailed::Rejected)?;
            Ok(Zeroizing::new(key.to_pkcs8().to_vec()))
        };
        let path = beside(self.store.path(), "key");
        let key = secret_at(&path, made)
            .and_then(|bytes| SigningKey::from_pkcs8(&bytes).map_err(KeyFailed::Rejected));
        key.map(Arc::new)
            .map_err(|error: KeyFailed| CommandError::Store(error.to_string().into()))
    }

    /// The grant for a server, if there is one.
    pub(super) async fn find(&self, url: &str) -> Result<Option<StoredGrant>, CommandError> {
        let kept = self.store.find(url).await;
        Ok(kept.map_err(failed_to_use)?.map(|kept| kept.grant))
    }

    /// Keeps a grant.
    pub(super) async fn save(&self, grant: &StoredGrant) -> Result<(), CommandError> {
        let saved = store::save(&self.store, grant).await;
        saved.map(drop).map_err(failed_to_use)
    }

    /// Forgets a grant.
    pub(super) async fn remove(&self, grant: &StoredGrant) -> Result<(), CommandError> {
        let (resource, issuer) = (&grant.resource, &grant.issuer);
        let kept = self.store.load(resource, issuer).await;
        if let Some(kept) = kept.map_err(failed_to_use)? {
            let removed = self.store.remove(resource, issuer, kept.version).await;
            removed.map_err(failed_to_use)?;
        }
        Ok(())
    }

    /// A grant in place of `used`, whose access token is of no more use.
    ///
    /// One process at a time renews; whoever comes second finds what the first has kept and spends no refresh token.
    /// `renew` gets the grant as it is kept now, and keeps what it gets before it returns.
    /// `None` means that the grant is gone, because somebody removed it or `renew` found it dead.
    pub(super) async fn renew(
        &self,
        url: &str,
        used: &StoredGrant,
        now: UnixSeconds,
        renew: impl AsyncFnOnce(StoredGrant) -> Result<Option<StoredGrant>, CommandError>,
    ) -> Result<Option<StoredGrant>, CommandError> {
        let path = beside(self.store.path(), "renewing");
        let lock = lock(&path)
            .await
            .map_err(|error| CommandError::Store(error.into()))?;
        let renewed = match self.find(url).await? {
            None => Ok(None),
            // MCP 2026-07-28, authorization: a rotated refresh token is used once, so that concurrent use is one flight.
            Some(kept)
                if !kept.access_token.ct_eq(used.access_token.expose())
                    && !kept.is_expired(now) =>
            {
                Ok(Some(kept))
            }
            Some(kept) => renew(kept).await,
        };
        drop(lock);
        renewed
    }
}

/// Why there is no key.
enum KeyFailed {
    File(DataError),
    Rejected(KeyRejected),
}

impl From<DataError> for KeyFailed {
    fn from(error: DataError) -> Self {
        Self::File(error)
    }
}

impl fmt::Display for KeyFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => write!(f, "its key: {error}"),
            Self::Rejected(error) => write!(f, "its key: {error}"),
        }
    }
}

fn failed(error: store::StoreFailed) -> CommandError {
    CommandError::Store(error.into())
}

fn failed_to_use(error: store::StoreError) -> CommandError {
    CommandError::Store(error.into())
}

// XDG base directory specification: a relative path in the variable is ignored.
fn default_path(data: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let data = data.filter(|path| path.is_absolute()).or_else(|| {
        home.filter(|path| path.is_absolute())
            .map(|home| home.join(".local/share"))
    })?;
    Some(data.join("mcp-server").join("grants.json"))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// How long another process may renew: far longer than its requests may take together.
const LOCK_WAIT: Duration = Duration::from_secs(60);

/// How often the lock is tried; nobody notices a twentieth of a second.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Waits for the lock; closing the file gives it back, even when the process dies.
async fn lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(LOCK_PAUSE).await,
            // A process that was stopped holds it for as long as it is stopped.
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("another process keeps {} locked", path.display()),
                ));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use oauth_rs::client::Client;
    use oauth_rs::entropy::random_id;
    use oauth_rs::scope::ScopeSet;
    use oauth_rs::secret::Secret;
    use oauth_rs::uri::{Issuer, RedirectUri, ResourceId};

    use super::*;
    use crate::data::DataDir;
    use crate::system::SystemEntropy;

    pub(in crate::client) const URL: &str = "https://mcp.example/mcp";
    const NOW: UnixSeconds = UnixSeconds(1_000);

    pub(in crate::client) fn grant(token: &str) -> StoredGrant {
        StoredGrant {
            resource: ResourceId::parse(URL).unwrap(),
            issuer: Issuer::parse("https://as.example").unwrap(),
            token_endpoint: "https://as.example/token".to_owned(),
            revocation_endpoint: None,
            client: Client::public("client-1"),
            redirect_uri: RedirectUri::parse("http://127.0.0.1:4000/callback").unwrap(),
            requested_scope: Some(ScopeSet::parse("a").unwrap()),
            granted_scope: None,
            access_token: Secret::new(token),
            refresh_token: Some(Secret::new(format!("refresh-{token}"))),
            expires_at: Some(UnixSeconds(2_000)),
            dpop_jkt: None,
        }
    }

    /// A store in a folder of its own, which goes with the first value.
    pub(in crate::client) fn grants() -> (DataDir, Grants) {
        let folder = DataDir::temporary(&SystemEntropy::new()).unwrap();
        let file = folder.path().join(random_id(&SystemEntropy::new()));
        let grants = Grants::open(Some(file)).unwrap();
        (folder, grants)
    }

    #[test]
    fn the_default_file_is_in_the_users_data_folder() {
        let path = |data: Option<&str>, home: Option<&str>| {
            default_path(data.map(PathBuf::from), home.map(PathBuf::from))
        };
        let home = Some(PathBuf::from(
            "/people/a/.local/share/mcp-server/grants.json",
        ));
        assert_eq!(
            path(Some("/data"), Some("/people/a")),
            Some("/data/mcp-server/grants.json".into())
        );
        assert_eq!(path(None, Some("/people/a")), home);
        assert_eq!(path(Some("relative"), Some("/people/a")), home);
        assert_eq!(path(Some(""), Some("/people/a")), home);
        assert_eq!(path(None, None), None);
        assert_eq!(path(None, Some("relative")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_that_is_never_given_back_is_given_up() {
        let (_folder, grants) = grants();
        grants.save(&grant("old")).await.unwrap();
        let held = lock(&beside(grants.store.path(), "renewing"))
            .await
            .unwrap();
        let before = Instant::now();
        let renew = async |_| panic!("nothing is to be renewed");
        let refused = grants.renew(URL, &grant("old"), NOW, renew).await;
        let Err(CommandError::Store(error)) = refused else {
            panic!("the lock was given")
        };
        assert!(error.to_string().ends_with("locked"), "{error}");
        assert!(before.elapsed() >= LOCK_WAIT && before.elapsed() < LOCK_WAIT * 2);
        drop(held);
    }

    #[tokio::test]
    async fn two_at_once_renew_once() {
        let (_folder, grants) = grants();
        let used = grant("old");
        grants.save(&used).await.unwrap();
        let renewals = AtomicUsize::new(0);
        let renew = || {
            grants.renew(URL, &used, NOW, async |kept| {
                renewals.fetch_add(1, Ordering::SeqCst);
                assert!(kept.refresh_token.unwrap().ct_eq("refresh-old"));
                // Gives the other one every chance to overtake.
                tokio::task::yield_now().await;
                grants.save(&grant("new")).await?;
                Ok(Some(grant("new")))
            })
        };
        let (one, two) = tokio::join!(renew(), renew());
        for renewed in [one, two] {
            assert!(renewed.unwrap().unwrap().access_token.ct_eq("new"));
        }
        assert_eq!(renewals.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_another_process_kept_is_used_unless_it_has_expired() {
        let (_folder, grants) = grants();
        grants.save(&grant("newer")).await.unwrap();
        let renewed = grants
            .renew(URL, &grant("old"), NOW, async |_| {
                panic!("nothing is to be renewed")
            })
            .await
            .unwrap();
        assert!(renewed.unwrap().access_token.ct_eq("newer"));

        let late = UnixSeconds(3_000);
        let renewed = grants
            .renew(URL, &grant("old"), late, async |kept| {
                assert!(kept.access_token.ct_eq("newer"));
                Ok(Some(grant("newest")))
            })
            .await
            .unwrap();
        assert!(renewed.unwrap().access_token.ct_eq("newest"));
    }

    #[tokio::test]
    async fn a_grant_that_somebody_removed_is_gone() {
        let (_folder, grants) = grants();
        let used = grant("old");
        grants.save(&used).await.unwrap();
        grants.remove(&used).await.unwrap();
        let renewed = grants
            .renew(URL, &used, NOW, async |_| {
                panic!("there is nothing to renew")
            })
            .await
            .unwrap();
        assert!(renewed.is_none());
    }
}
