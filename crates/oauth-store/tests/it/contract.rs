//! The contract that every store must keep.

use std::sync::{Arc, Mutex};

use oauth_server::store::{Store, contract};
use oauth_store::SqliteStore;

use crate::folder::Folder;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_contract_is_kept() {
    let folders = Mutex::new(Vec::new());
    contract::check(|| async {
        let folder = Folder::new();
        let store = SqliteStore::open(folder.file()).await.unwrap();
        folders.lock().unwrap().push(folder);
        Arc::new(store) as Arc<dyn Store>
    })
    .await
    .unwrap();
    assert!(folders.lock().unwrap().len() > 10);
}
