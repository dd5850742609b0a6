//! The file under use, damage, exposure and parallel change.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::client::Client;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::RedirectUri;

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
fn what_could_not_be_read_again_is_not_written() {
    let folder = Folder::new();
    let store = FileStore::open(folder.file()).unwrap();
    store.save(&grant(RS, AS, "one")).unwrap();
    let before = fs::read(folder.file()).unwrap();
    let half =
        |letter: &str| ScopeSet::from_tokens((0..100).map(|n| format!("{letter}{n}"))).unwrap();
    let mut wide = grant("https://wide.example", AS, "two");
    wide.requested_scope = Some(half("a").union(&half("b")));
    let refused = store.save(&wide).unwrap_err();
    assert!(matches!(refused, StoreFailed::Unfit { .. }), "{refused}");
    assert_eq!(fs::read(folder.file()).unwrap(), before);

    // Five grants of 300 KB each do not fit in 1 MiB; the newest are kept.
    let long = "t".repeat(300_000);
    for number in 0..5 {
        store
            .save(&grant(&format!("https://rs{number}.example"), AS, &long))
            .unwrap();
    }
    assert!(fs::metadata(folder.file()).unwrap().len() <= MAX_FILE_BYTES);
    assert!(store.find("https://rs4.example").unwrap().is_some());
    assert!(store.find("https://rs0.example").unwrap().is_none());
    let huge = "t".repeat(usize::try_from(MAX_FILE_BYTES).unwrap());
    assert!(store.save(&grant(RS, AS, &huge)).is_err());
    assert!(store.find("https://rs4.example").unwrap().is_some());
}

#[test]
fn a_link_where_the_new_file_goes_is_not_followed() {
    let folder = Folder::new();
    let store = FileStore::open(folder.file()).unwrap();
    store.save(&grant(RS, AS, "one")).unwrap();
    let elsewhere = folder.0.join("elsewhere");
    fs::write(&elsewhere, "kept").unwrap();
    std::os::unix::fs::symlink(&elsewhere, store.beside("new")).unwrap();
    for taken in [&elsewhere, &store.beside("new")] {
        let refused = create(taken).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    }
    store.save(&grant(RS, AS, "two")).unwrap();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "kept");
    assert!(store.find(RS).unwrap().unwrap().access_token.ct_eq("two"));
    assert!(fs::symlink_metadata(folder.file()).unwrap().is_file());

    // A folder of that name cannot be removed as a file, so nothing is written at all.
    fs::create_dir(store.beside("new")).unwrap();
    assert!(store.save(&grant(RS, AS, "three")).is_err());
    assert!(store.find(RS).unwrap().unwrap().access_token.ct_eq("two"));
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
