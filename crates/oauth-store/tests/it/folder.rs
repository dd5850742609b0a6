//! A folder of its own for every test, and records to put into it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use oauth_rs::time::UnixSeconds;
use oauth_server::record::{Record, Session};
use oauth_server::store::{Key, Kind, Store, Write};

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Removed with all that is in it at the end of the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("oauth-store-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("records.sqlite")
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

pub(crate) fn key(id: &str) -> Key {
    Key::new(Kind::Session, id)
}

pub(crate) fn session(person: &str, expires_at: u64) -> Record {
    Record::Session(Session {
        person: person.to_owned(),
        signed_in_at: UnixSeconds(1),
        expires_at: UnixSeconds(expires_at),
    })
}

pub(crate) fn insert(id: &str) -> Write {
    Write::Insert {
        key: key(id),
        record: session(id, 9),
    }
}

pub(crate) async fn person(store: &dyn Store, id: &str) -> Option<String> {
    let loaded = store.load(&[key(id)]).await.unwrap().pop().unwrap();
    loaded.map(|stored| Session::from_record(&stored.record).unwrap().person.clone())
}
