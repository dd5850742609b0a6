//! Where grants are kept between commands, and the key that tokens are bound to.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use oauth_rs::client::store::FileStore;
use oauth_rs::jose::{KeyRejected, SigningKey};
use zeroize::Zeroizing;

use super::error::CommandError;
use crate::data::{DataError, secret_at};

/// The file that was named, or the one in the user's data folder.
pub(crate) fn open(named: Option<PathBuf>) -> Result<FileStore, CommandError> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let path = match named {
        Some(path) => path,
        None => default_path(variable("XDG_DATA_HOME"), variable("HOME")).ok_or_else(|| {
            CommandError::Usage(
                "there is no home folder to keep grants in; name a file with --store".to_owned(),
            )
        })?,
    };
    FileStore::open(path).map_err(|error| CommandError::Store(error.into()))
}

/// The key that tokens are bound to wherever a server can; made the first time, and kept beside the grants.
pub(crate) fn key(store: &FileStore) -> Result<Arc<SigningKey>, CommandError> {
    let made = || {
        let key = SigningKey::generate_es256().map_err(KeyFailed::Rejected)?;
        Ok(Zeroizing::new(key.to_pkcs8().to_vec()))
    };
    let mut name = store.path().file_name().unwrap_or_default().to_owned();
    name.push(".key");
    let key = secret_at(&store.path().with_file_name(name), made)
        .and_then(|bytes| SigningKey::from_pkcs8(&bytes).map_err(KeyFailed::Rejected));
    key.map(Arc::new)
        .map_err(|error: KeyFailed| CommandError::Store(error.to_string().into()))
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

// XDG base directory specification: a relative path in the variable is ignored.
fn default_path(data: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let data = data.filter(|path| path.is_absolute()).or_else(|| {
        home.filter(|path| path.is_absolute())
            .map(|home| home.join(".local/share"))
    })?;
    Some(data.join("mcp-server").join("grants.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DataDir;
    use crate::system::SystemEntropy;

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

    #[test]
    fn the_key_is_kept_beside_the_grants() {
        let folder = DataDir::temporary(&SystemEntropy::new()).unwrap();
        let store = open(Some(folder.path().join("grants.json"))).unwrap();
        let made = key(&store).unwrap();
        assert_eq!(made.kid(), key(&store).unwrap().kid());
        let other = open(Some(folder.path().join("other.json"))).unwrap();
        assert_ne!(made.kid(), key(&other).unwrap().kid());
        std::fs::write(folder.path().join("other.json.key"), "no key").unwrap();
        let refused = key(&other).unwrap_err();
        assert!(refused.to_string().contains("its key"), "{refused}");
    }
}
