//! Large settings left out of an answer, and recognised when they come back.

use serde_json::{Map, Value, json};

use super::parse::json_len;

/// From how many characters of JSON on a setting is left out.
pub const OMITTED_FROM: usize = 800;

/// How many names of a left-out object are shown.
const SAMPLE_KEYS: usize = 8;

const MARK: &str = "_omitted";

/// Replaces large settings in a graph by what they are: a graph as JSON, in the form that the API gives.
///
/// A setting of more than [`OMITTED_FROM`] characters becomes `{_omitted, _type, _items | _keys and _sample_keys, _bytes}`.
/// `true` when anything was left out.
pub fn without_large_config(graph: &mut Value) -> bool {
    let Some(Value::Object(nodes)) = graph.get_mut("nodes") else {
        return false;
    };
    let mut any = false;
    let configs = nodes
        .values_mut()
        .filter_map(|node| node.get_mut("config")?.as_object_mut());
    for value in configs.flat_map(Map::values_mut) {
        if is_large(value) {
            *value = summary(value);
            any = true;
        }
    }
    any
}

/// Whether a setting is what [`without_large_config`] put in its place.
pub(crate) fn is_omitted(value: &Value) -> bool {
    value.get(MARK) == Some(&Value::Bool(true))
}

fn is_large(value: &Value) -> bool {
    // The characters are at most the bytes, and counted only where it matters.
    json_len(value) > OMITTED_FROM && value.to_string().chars().count() > OMITTED_FROM
}

fn summary(value: &Value) -> Value {
    let bytes = json_len(value);
    match value {
        Value::Object(members) => {
            let sample: Vec<&String> = members.keys().take(SAMPLE_KEYS).collect();
            json!({ MARK: true, "_type": "object", "_keys": members.len(), "_sample_keys": sample, "_bytes": bytes })
        }
        Value::Array(items) => {
            json!({ MARK: true, "_type": "array", "_items": items.len(), "_bytes": bytes })
        }
        Value::String(_) => json!({ MARK: true, "_type": "string", "_bytes": bytes }),
        Value::Number(_) => json!({ MARK: true, "_type": "number", "_bytes": bytes }),
        Value::Bool(_) | Value::Null => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(value: Value) -> Value {
        json!({"start_node": "a", "nodes": {"a": {"node_type": "feature", "config": {"x": value, "y": 1}}, "b": {}, "c": 1}})
    }

    fn left(value: Value) -> Value {
        let mut graph = graph(value);
        assert!(without_large_config(&mut graph));
        assert_eq!(graph["nodes"]["a"]["config"]["y"], 1);
        graph["nodes"]["a"]["config"]["x"].clone()
    }

    #[test]
    fn the_limit_is_in_characters_of_json() {
        let text = |n: usize| Value::String("ż".repeat(n));
        let mut kept = graph(text(OMITTED_FROM - 2));
        assert!(!without_large_config(&mut kept));
        assert_eq!(kept, graph(text(OMITTED_FROM - 2)));
        assert_eq!(
            left(text(OMITTED_FROM - 1)),
            json!({"_omitted": true, "_type": "string", "_bytes": 1600})
        );
    }

    #[test]
    fn lists_and_objects_say_how_large_they_are() {
        let items = left(json!(vec![0; 500]));
        assert_eq!(
            items,
            json!({"_omitted": true, "_type": "array", "_items": 500, "_bytes": 1001})
        );
        let members: Map<String, Value> = (100..300).map(|n| (format!("k{n}"), json!(1))).collect();
        let members = left(members.into());
        assert_eq!(members["_keys"], 200);
        assert_eq!(
            members["_sample_keys"],
            json!([
                "k100", "k101", "k102", "k103", "k104", "k105", "k106", "k107"
            ])
        );
        assert!(is_omitted(&members));
        assert!(!is_omitted(&json!({"_omitted": "true"})));
    }

    #[test]
    fn what_is_no_graph_is_left_alone() {
        for value in [json!(null), json!([]), json!({"nodes": 1})] {
            let mut same = value.clone();
            assert!(!without_large_config(&mut same));
            assert_eq!(same, value);
        }
    }
}
