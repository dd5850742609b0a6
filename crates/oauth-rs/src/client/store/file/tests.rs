//! The file under use, damage, exposure and parallel change.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::client::store::tests::{AS, RS, contract, expecting, grant, now_or_later};
use crate::client::store::{Lease, MAX_GRANTS, save};
use crate::scope::ScopeSet;
use crate::time::UnixSeconds;

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

fn put(store: &FileStore, grant: &StoredGrant) -> Result<Version, StoreError> {
    now_or_later(save(store, grant))
}

fn find(store: &FileStore, url: &str) -> Option<StoredGrant> {
    now_or_later(store.find(url))
        .unwrap()
        .map(|kept| kept.grant)
}

/// Why the file was refused.
fn why(refused: &StoreError) -> &StoreFailed {
    refused.reason().downcast_ref().unwrap()
}

fn refused(store: &FileStore) -> StoreError {
    now_or_later(store.find(RS)).unwrap_err()
}

#[test]
fn the_file_store_keeps_the_contract() {
    let folder = Folder::new();
    contract(&FileStore::open(folder.file()).unwrap());
}

#[test]
fn what_is_saved_is_found_and_only_the_user_can_read_it() {
    let folder = Folder::new();
    let store = FileStore::open(folder.file()).unwrap();
    assert!(find(&store, RS).is_none());
    put(&store, &grant(RS, AS, "one")).unwrap();
    put(&store, &grant(RS, AS, "two")).unwrap();
    put(&store, &grant("https://other.example", AS, "three")).unwrap();

    let again = FileStore::open(folder.file()).unwrap();
    let found = find(&again, "https://rs.example/mcp/x").unwrap();
    assert!(found.access_token.ct_eq("two"));
    assert!(found.refresh_token.unwrap().ct_eq("r"));
    assert_eq!(found.requested_scope.unwrap().to_string(), "a b");
    assert_eq!(found.granted_scope, None);
    assert_eq!(found.expires_at, Some(UnixSeconds(7)));
    assert_eq!(again.read().unwrap().kept.len(), 2);
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
fn an_exposed_file_is_refused_with_the_remedy() {
    let folder = Folder::new();
    let store = FileStore::open(folder.file()).unwrap();
    put(&store, &grant(RS, AS, "one")).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(folder.file(), fs::Permissions::from_mode(mode)).unwrap();
        let refused = refused(&store);
        assert!(
            matches!(why(&refused), StoreFailed::Exposed { mode: found, .. } if *found == mode)
        );
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
        assert!(put(&store, &grant(RS, AS, "two")).is_err());
    }
}

#[test]
fn a_damaged_file_is_named_and_never_overwritten() {
    let folder = Folder::new();
    let store = FileStore::open(folder.file()).unwrap();
    put(&store, &grant(RS, AS, "one")).unwrap();
    let good = fs::read_to_string(folder.file()).unwrap();
    let half = good.get(..good.len() / 2).unwrap();
    for text in ["", "{}", "[1,[]]", half, &good.replace(AS, "no issuer")] {
        fs::write(folder.file(), text).unwrap();
        let refused = put(&store, &grant(RS, AS, "two")).unwrap_err();
        assert!(
            matches!(why(&refused), StoreFailed::Damaged { .. }),
            "{refused}"
        );
        assert!(refused.to_string().contains("grants.json"), "{refused}");
        assert_eq!(fs::read_to_string(folder.file()).unwrap(), text);
    }
    fs::write(
        folder.file(),
        good.replacen("\"version\": 2", "\"version\": 3", 1),
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
    assert!(matches!(why(&refused(&store)), StoreFailed::TooLong { .. }));
}

#[test]
fn a_leftover_of_a_crash_is_replaced_and_the_oldest_makes_room() {
    let folder = Folder::new();
    let store = FileStore::open(folder.file()).unwrap();
    put(&store, &grant(RS, AS, "one")).unwrap();
    fs::write(store.beside("new"), "half of").unwrap();
    for number in 0..MAX_GRANTS {
        put(
            &store,
            &grant(&format!("https://rs{number}.example"), AS, "x"),
        )
        .unwrap();
    }
    assert_eq!(store.read().unwrap().kept.len(), MAX_GRANTS);
    assert!(find(&store, RS).is_none());
    assert_eq!(
        fs::metadata(folder.file()).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let folder = Folder::new();
    let store = FileStore::open(folder.file()).unwrap();
    put(&store, &grant(RS, AS, "one")).unwrap();
    let before = fs::read(folder.file()).unwrap();
    let half =
        |letter: &str| ScopeSet::from_tokens((0..100).map(|n| format!("{letter}{n}"))).unwrap();
    let mut wide = grant("https://wide.example", AS, "two");
    wide.requested_scope = Some(half("a").union(&half("b")));
    let refused = put(&store, &wide).unwrap_err();
    assert!(
        matches!(why(&refused), StoreFailed::Unfit { .. }),
        "{refused}"
    );
    assert_eq!(fs::read(folder.file()).unwrap(), before);

    // Five grants of 300 KB each do not fit in 1 MiB; the newest are kept.
    let long = "t".repeat(300_000);
    for number in 0..5 {
        put(
            &store,
            &grant(&format!("https://rs{number}.example"), AS, &long),
        )
        .unwrap();
    }
    assert!(fs::metadata(folder.file()).unwrap().len() <= MAX_FILE_BYTES);
    assert!(find(&store, "https://rs4.example").is_some());
    assert!(find(&store, "https://rs0.example").is_none());
    let huge = "t".repeat(usize::try_from(MAX_FILE_BYTES).unwrap());
    assert!(put(&store, &grant(RS, AS, &huge)).is_err());
    assert!(find(&store, "https://rs4.example").is_some());
}

#[test]
fn a_link_where_the_new_file_goes_is_not_followed() {
    let folder = Folder::new();
    let store = FileStore::open(folder.file()).unwrap();
    put(&store, &grant(RS, AS, "one")).unwrap();
    let elsewhere = folder.0.join("elsewhere");
    fs::write(&elsewhere, "kept").unwrap();
    std::os::unix::fs::symlink(&elsewhere, store.beside("new")).unwrap();
    for taken in [&elsewhere, &store.beside("new")] {
        let refused = create(taken).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    }
    put(&store, &grant(RS, AS, "two")).unwrap();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "kept");
    assert!(find(&store, RS).unwrap().access_token.ct_eq("two"));
    assert!(fs::symlink_metadata(folder.file()).unwrap().is_file());

    // A folder of that name cannot be removed as a file, so nothing is written at all.
    fs::create_dir(store.beside("new")).unwrap();
    assert!(put(&store, &grant(RS, AS, "three")).is_err());
    assert!(find(&store, RS).unwrap().access_token.ct_eq("two"));
}

#[test]
fn parallel_changes_are_all_kept() {
    let folder = Folder::new();
    let store = FileStore::open(folder.file()).unwrap();
    std::thread::scope(|scope| {
        for number in 0..16 {
            let store = &store;
            scope.spawn(move || {
                put(
                    store,
                    &grant(&format!("https://rs{number}.example"), AS, "x"),
                )
                .unwrap();
            });
        }
    });
    assert_eq!(store.read().unwrap().kept.len(), 16);
}

#[test]
fn a_lock_that_is_never_given_back_is_given_up() {
    let folder = Folder::new();
    let store = FileStore::open(folder.file()).unwrap();
    put(&store, &grant(RS, AS, "one")).unwrap();
    let held = store.lock().unwrap();
    let hasty = store.clone().with_lock_wait(Duration::ZERO);
    let refused = put(&hasty, &grant(RS, AS, "two")).unwrap_err();
    assert!(
        matches!(why(&refused), StoreFailed::Locked { .. }),
        "{refused}"
    );
    // Reading needs no lock, and the file is whole.
    assert!(find(&hasty, RS).unwrap().access_token.ct_eq("one"));
    drop(held);
    put(&hasty, &grant(RS, AS, "two")).unwrap();
}

#[test]
fn a_file_of_the_format_before_is_read_and_written_anew() {
    let folder = Folder::new();
    let store = FileStore::open(folder.file()).unwrap();
    put(&store, &grant(RS, AS, "one")).unwrap();
    let new: serde_json::Value = serde_json::from_slice(&fs::read(folder.file()).unwrap()).unwrap();
    let mut old = new["grants"][0].clone();
    for member in ["version", "ended"] {
        old.as_object_mut().unwrap().remove(member).unwrap();
    }
    let text = serde_json::json!({"version": 1, "grants": [old]}).to_string();
    fs::write(folder.file(), text).unwrap();
    let kept = expecting(&store);
    assert_eq!((kept.version, kept.standing), (Version(0), Standing::Good));
    let next = now_or_later(store.write(Some(Version(0)), &kept.grant, Standing::Good));
    assert_eq!(next.unwrap(), Some(Version(1)));
}

#[test]
fn what_is_known_of_a_grant_survives_the_process() {
    let folder = Folder::new();
    let store = FileStore::open(folder.file()).unwrap();
    put(&store, &grant(RS, AS, "one")).unwrap();
    let mut bound = grant(RS, AS, "one");
    bound.dpop_jkt = Some("thumbprint".to_owned());
    let lease = Standing::Renewing(Lease {
        holder: "me".to_owned(),
        until: UnixSeconds(9),
    });
    for standing in [lease, Standing::Ended, Standing::Good] {
        let read = expecting(&store).version;
        now_or_later(store.write(Some(read), &bound, standing.clone())).unwrap();
        let again = FileStore::open(folder.file()).unwrap();
        let kept = expecting(&again);
        assert_eq!(kept.standing, standing);
        assert_eq!(kept.grant.dpop_jkt.as_deref(), Some("thumbprint"));
    }
    // A lease that no program of ours writes is damage.
    let good = fs::read_to_string(folder.file()).unwrap();
    let holder = "x".repeat(65);
    for lease in [
        r#""ended": true, "lease": {"holder": "me", "until": 9}"#.to_owned(),
        format!(r#""ended": false, "lease": {{"holder": "{holder}", "until": 9}}"#),
    ] {
        fs::write(folder.file(), good.replace(r#""ended": false"#, &lease)).unwrap();
        assert!(matches!(why(&refused(&store)), StoreFailed::Damaged { .. }));
    }
}

#[test]
fn a_change_goes_on_when_nobody_waits_for_it_any_more() {
    let folder = Folder::new();
    let store = FileStore::open(folder.file()).unwrap();
    put(&store, &grant(RS, AS, "one")).unwrap();
    let held = store.lock().unwrap();
    let one = expecting(&store);
    let two = grant(RS, AS, "two");
    drop(store.write(Some(one.version), &two, Standing::Good));
    drop(held);
    // Whoever gets the lock later finds what was written; another write of the same version finds it taken.
    while expecting(&store).version == one.version {
        std::thread::yield_now();
    }
    assert!(expecting(&store).grant.access_token.ct_eq("two"));
}

#[test]
fn what_is_written_does_not_make_room_for_itself() {
    let folder = Folder::new();
    let store = FileStore::open(folder.file()).unwrap();
    put(&store, &grant(RS, AS, "oldest")).unwrap();
    let other = "https://other.example";
    put(&store, &grant(other, AS, "t")).unwrap();
    let length = fs::metadata(folder.file()).unwrap().len();
    // As full as it can be, so that a lease does not fit any more.
    let rest = usize::try_from(MAX_FILE_BYTES - length).unwrap();
    put(&store, &grant(other, AS, &"t".repeat(rest + 1))).unwrap();
    assert_eq!(fs::metadata(folder.file()).unwrap().len(), MAX_FILE_BYTES);
    let lease = Standing::Renewing(Lease {
        holder: "me".to_owned(),
        until: UnixSeconds(9),
    });
    let one = expecting(&store);
    now_or_later(store.write(Some(one.version), &one.grant, lease.clone())).unwrap();
    assert_eq!(expecting(&store).standing, lease);
}
