//! What the fuzz targets have found worth keeping, as ordinary tests.

use std::path::{Path, PathBuf};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

#[test]
fn graphs_stand_their_corpus() {
    let entries = std::fs::read_dir(corpus().join("graph")).unwrap();
    let files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        let stood = std::panic::catch_unwind(|| crate::fuzz::graph(&bytes));
        assert!(stood.is_ok(), "{file:?}");
    }
    assert!(!files.is_empty());
}

#[test]
fn each_corpus_has_its_target() {
    for entry in std::fs::read_dir(corpus()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let target = corpus().join(format!("../fuzz_targets/{name}.rs"));
        assert!(target.is_file(), "{name} has no fuzz target");
    }
}
