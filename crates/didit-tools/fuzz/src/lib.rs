//! What must hold for any bytes at all. The fuzz targets call these, and so does an ordinary test with the corpus.

use didit_tools::graph::{Graph, unconfirmed, without_large_config};
use serde_json::Value;

/// A graph, or a graph and operations on it as `[graph, operation, …]`.
///
/// What is read is written again; checking, drawing, normalizing and editing never panic; drawings are bounded; edits are atomic.
pub fn graph(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let (value, operations) = match value {
        Value::Array(mut items) if !items.is_empty() => (items.remove(0), items),
        value => (value, Vec::new()),
    };
    let Ok(read) = Graph::parse(&value) else {
        return;
    };
    assert_eq!(read.to_value(), value);
    look_at(&read);
    if let Ok(normalized) = read.normalized() {
        assert_eq!(normalized.normalized().as_ref(), Ok(&normalized));
        look_at(&normalized);
    }
    match read.edit(&operations) {
        Ok(edited) => {
            assert_eq!(edited.changes.len(), operations.len());
            assert_eq!(
                Graph::parse(&edited.graph.to_value()).as_ref(),
                Ok(&edited.graph)
            );
            look_at(&edited.graph);
            drop(unconfirmed(&edited.graph, &read));
        }
        Err(failed) => assert!(failed.index < operations.len()),
    }
    let mut short = value;
    without_large_config(&mut short);
    assert!(Graph::parse(&short).is_ok());
}

fn look_at(graph: &Graph) {
    let drawing = graph.draw();
    assert!(drawing.lines().count() <= 201);
    assert!(drawing.lines().all(|line| line.chars().count() <= 120));
    assert!(!drawing.chars().any(|c| c.is_control() && c != '\n'));
    let report = graph.check(None);
    assert!(report.errors.len() <= 50 && report.warnings.len() <= 50);
    assert!(unconfirmed(graph, graph).is_empty());
}
