//! What the fuzz targets have found worth keeping, as ordinary tests: one for each target, over its whole corpus.

use std::path::{Path, PathBuf};

use crate::fuzz::TARGETS;

/// Puts every file of a target's corpus through it, and says how many there were.
fn replay(target: &str, check: fn(&[u8])) -> usize {
    let folder = corpus().join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        let stood = std::panic::catch_unwind(|| check(&bytes));
        assert!(stood.is_ok(), "{file:?}");
    }
    files.len()
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

#[test]
fn every_target_stands_its_corpus() {
    for (target, check) in TARGETS {
        assert!(replay(target, check) > 0, "{target} has no corpus");
    }
}

#[test]
fn each_corpus_has_its_target() {
    let known = TARGETS.map(|(name, _)| name);
    for entry in std::fs::read_dir(corpus()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name.as_str()), "{name}");
        let target = corpus().join(format!("../fuzz_targets/{name}.rs"));
        assert!(target.is_file(), "{name} has no fuzz target");
    }
}
