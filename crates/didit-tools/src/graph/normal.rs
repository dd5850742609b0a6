//! A graph as the API wants it: the else written out, the node of a rule named, allow-lists in their full form.

use serde_json::{Map, Value, json};

use super::{Branch, Finding, Graph, Kind, Node};

/// What people call documents, and the API's codes for them.
const DOCUMENT_CODES: &[(&str, &str)] = &[
    ("PASSPORT", "P"),
    ("DRIVER_LICENSE", "DL"),
    ("DRIVING_LICENSE", "DL"),
    ("DRIVERS_LICENSE", "DL"),
    ("ID_CARD", "ID"),
    ("IDENTITY_CARD", "ID"),
    ("RESIDENCE_PERMIT", "RP"),
    ("HEALTH_INSURANCE_CARD", "HIC"),
    ("TAX_CARD", "TC"),
    ("SOCIAL_SECURITY_CARD", "SSC"),
];

/// The settings that say which documents are accepted, and whether the codes above apply.
const DOCUMENT_LISTS: &[(&str, bool)] = &[
    ("documents_allowed", true),
    ("poa_documents_allowed", false),
];

const LANGUAGES: &str = "poa_languages_allowed";

impl Graph {
    /// The graph as the API wants it; normalizing again changes nothing.
    ///
    /// The `next` of a branch node becomes a last branch `else`, unless a branch without rules is there, and goes.
    /// A rule that names the field of one check only gets that check's node as its `node_id`, when exactly one node of the graph runs it.
    /// Allow-lists may be given short: a flag or a name for a document, a list of languages.
    ///
    /// # Errors
    /// A [`Finding`] when an allow-list is short in a way that would need the list of all countries.
    pub fn normalized(&self) -> Result<Self, Finding> {
        let mut graph = self.clone();
        for (id, node) in &mut graph.nodes {
            explicit_else(node);
            if let Some(config) = &mut node.config {
                allow_lists(config, &format!("nodes.{id}.config"))?;
            }
        }
        fill_node_ids(&mut graph);
        Ok(graph)
    }
}

fn explicit_else(node: &mut Node) {
    if node.kind() != Some(Kind::Branch) {
        return;
    }
    let Some(goto) = node.next.take() else {
        return;
    };
    node.rest.remove("next");
    let branches = node.branches.get_or_insert_default();
    // A null that stood for the list would be written over by it.
    node.rest.remove("branches");
    if branches.iter().any(Branch::is_else) {
        return;
    }
    branches.push(Branch {
        id: Some("else".to_owned()),
        logic: Some("and".to_owned()),
        rules: Some(Vec::new()),
        goto: Some(goto),
        rest: Map::new(),
    });
}

/// The first word of a field, and the check whose values it names; a field that more than one check fills is left alone.
const FIELD_OWNERS: &[(&str, &str)] = &[
    ("kyc", "OCR"),
    ("nfc", "NFC"),
    ("liveness", "LIVENESS"),
    ("face_match", "FACE_MATCH"),
    ("age_estimation", "AGE_ESTIMATION"),
    ("poa", "PROOF_OF_ADDRESS"),
    ("aml", "AML"),
    ("phone", "PHONE_VERIFICATION"),
    ("email", "EMAIL_VERIFICATION"),
    ("questionnaire", "QUESTIONNAIRE"),
    ("database_validation", "DATABASE_VALIDATION"),
    ("ip_analysis", "IP_ANALYSIS"),
    ("document_ai", "DOCUMENT_AI"),
];

/// The check that fills a field, as far as its name says so.
pub(crate) fn owner(field: &str) -> Option<&'static str> {
    let (first, _) = field.split_once('.')?;
    FIELD_OWNERS
        .iter()
        .find(|(word, _)| *word == first)
        .map(|(_, feature)| *feature)
}

fn fill_node_ids(graph: &mut Graph) {
    let only = |feature: &str| -> Option<String> {
        let runs = |node: &Node| {
            node.kind() == Some(Kind::Feature) && node.feature.as_deref() == Some(feature)
        };
        let mut nodes = graph.nodes.iter().filter(|(_, node)| runs(node));
        match (nodes.next(), nodes.next()) {
            (Some((id, _)), None) => Some(id.clone()),
            _ => None,
        }
    };
    let owners: Vec<(&str, String)> = FIELD_OWNERS
        .iter()
        .filter_map(|(_, feature)| Some((*feature, only(feature)?)))
        .collect();
    let branches = graph
        .nodes
        .values_mut()
        .flat_map(|node| &mut node.branches)
        .flatten();
    for rule in branches.flat_map(|branch| &mut branch.rules).flatten() {
        let Some(feature) = rule.field.as_deref().and_then(owner) else {
            continue;
        };
        let named = rule.rest.get("node_id").is_some_and(|id| !id.is_null());
        if let (false, Some((_, id))) = (named, owners.iter().find(|(name, _)| *name == feature)) {
            rule.rest.insert("node_id".to_owned(), id.clone().into());
        }
    }
}

fn allow_lists(config: &mut Map<String, Value>, path: &str) -> Result<(), Finding> {
    for (name, has_codes) in DOCUMENT_LISTS {
        if let Some(value) = config.get_mut(*name) {
            documents(value, *has_codes, &format!("{path}.{name}"))?;
        }
    }
    if let Some(Value::Array(languages)) = config.get(LANGUAGES)
        && languages.iter().all(Value::is_string)
    {
        let flags = languages.iter().filter_map(Value::as_str);
        let flags = flags.map(|language| (language.trim().to_ascii_lowercase(), json!(1)));
        let flags = Value::Object(flags.collect());
        config.insert(LANGUAGES.to_owned(), flags);
    }
    Ok(())
}

fn documents(value: &mut Value, has_codes: bool, path: &str) -> Result<(), Finding> {
    const REMEDY: &str = "name each country by its ISO 3166 alpha-3 code, or let didit_workflow_build_graph make the graph with document_rules for the country ALL";
    let countries = match value {
        Value::Array(_) => {
            return Err(Finding::new(
                path,
                format!("is a list without countries; {REMEDY}"),
            ));
        }
        Value::Object(countries) => countries,
        _ => return Ok(()),
    };
    if countries.contains_key("ALL") {
        return Err(Finding::new(
            format!("{path}.ALL"),
            format!("is not a country; {REMEDY}"),
        ));
    }
    for (name, country) in countries {
        let path = format!("{path}.{name}");
        let listed = match country {
            Value::Object(documents) => std::mem::take(documents),
            Value::Array(names) if names.iter().all(Value::is_string) => names
                .iter()
                .filter_map(Value::as_str)
                .map(|name| (name.to_owned(), json!(1)))
                .collect(),
            _ => continue,
        };
        let mut full = Map::new();
        for (name, value) in listed {
            let code = if has_codes { code(&name) } else { None };
            let code = code.map_or(name, str::to_owned);
            if full.contains_key(&code) {
                let message = "is there twice, by its code and by a name";
                return Err(Finding::new(format!("{path}.{code}"), message));
            }
            full.insert(code, flagged(value));
        }
        *country = Value::Object(full);
    }
    Ok(())
}

fn code(name: &str) -> Option<&'static str> {
    let name = name.trim().to_ascii_uppercase().replace([' ', '-'], "_");
    DOCUMENT_CODES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, code)| *code)
}

/// `true`, `1` and `false`, `0` as the object that the API takes.
fn flagged(value: Value) -> Value {
    match value {
        Value::Bool(flag) => json!({ "enabled": i32::from(flag) }),
        Value::Number(ref number) if number.as_i64() == Some(1) => json!({ "enabled": 1 }),
        Value::Number(ref number) if number.as_i64() == Some(0) => json!({ "enabled": 0 }),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(nodes: Value) -> Value {
        let start = nodes.as_object().unwrap().keys().next().unwrap().clone();
        let graph = Graph::parse(&json!({"start_node": start, "nodes": nodes})).unwrap();
        let once = graph.normalized().unwrap();
        assert_eq!(once.normalized().unwrap(), once, "again changes nothing");
        once.to_value()["nodes"].clone()
    }

    fn refused(nodes: Value) -> String {
        let graph = Graph::parse(&json!({"start_node": "a", "nodes": nodes})).unwrap();
        graph.normalized().unwrap_err().to_string()
    }

    #[test]
    fn the_next_of_a_branch_becomes_its_else() {
        let rule = json!({"field": "x", "operator": "is_empty"});
        let nodes = normalized(
            json!({"a": {"node_type": "branch", "next": "b", "branches": [
                {"id": "one", "rules": [rule], "goto": "c"},
            ]}}),
        );
        assert_eq!(
            nodes,
            json!({"a": {"node_type": "branch", "branches": [
                {"id": "one", "rules": [rule], "goto": "c"},
                {"id": "else", "logic": "and", "rules": [], "goto": "b"},
            ]}})
        );
    }

    #[test]
    fn an_else_that_is_there_stays() {
        for other in [
            json!({"id": "o", "goto": "c"}),
            json!({"id": "o", "rules": [], "goto": "c"}),
        ] {
            let nodes =
                normalized(json!({"a": {"node_type": "branch", "next": "b", "branches": [other]}}));
            assert_eq!(
                nodes,
                json!({"a": {"node_type": "branch", "branches": [other]}})
            );
        }
    }

    #[test]
    fn only_a_branch_loses_its_next() {
        let nodes = json!({"a": {"node_type": "feature", "feature": "OCR", "next": "b"}});
        assert_eq!(normalized(nodes.clone()), nodes);
        let end = json!({"a": {"node_type": "branch", "next": null, "branches": null}});
        assert_eq!(normalized(end.clone()), end);
        assert_eq!(
            normalized(json!({"a": {"node_type": "branch", "next": "b", "branches": null}})),
            json!({"a": {"node_type": "branch", "branches": [
                {"id": "else", "logic": "and", "rules": [], "goto": "b"},
            ]}})
        );
    }

    #[test]
    fn a_rule_gets_the_node_that_fills_its_field() {
        let rules = |nodes: Value| normalized(nodes)["z"]["branches"][0]["rules"].clone();
        let with = |others: Value| {
            let mut nodes = others;
            nodes["z"] = json!({"node_type": "branch", "branches": [{"id": "x", "goto": "a", "rules": [
                {"field": "kyc.age", "operator": "is_empty"},
                {"field": "aml.score", "operator": "is_empty"},
                {"field": "kyc.age", "operator": "is_empty", "node_id": "other"},
                {"field": "metadata.x", "operator": "is_empty"},
            ]}]});
            nodes
        };
        let one = rules(with(
            json!({"a": {"node_type": "feature", "feature": "OCR"}}),
        ));
        assert_eq!(one[0]["node_id"], "a");
        assert_eq!(one[1].get("node_id"), None);
        assert_eq!(one[2]["node_id"], "other");
        assert_eq!(one[3].get("node_id"), None);
        let two = rules(with(json!({
            "a": {"node_type": "feature", "feature": "OCR"},
            "b": {"node_type": "feature", "feature": "OCR"},
        })));
        assert_eq!(two[0].get("node_id"), None, "which of the two is not known");
    }

    #[test]
    fn allow_lists_are_written_in_full() {
        let config = |config: Value| {
            normalized(json!({"a": {"node_type": "feature", "feature": "OCR", "config": config}}))
                ["a"]["config"]
                .clone()
        };
        assert_eq!(
            config(json!({"documents_allowed": {
                "ESP": {"PASSPORT": 1, "Driver License": true},
                "FRA": ["ID", "passport"],
                "PRT": {"P": {"enabled": 1, "sides": 2}, "NEW": false},
            }})),
            json!({"documents_allowed": {
                "ESP": {"P": {"enabled": 1}, "DL": {"enabled": 1}},
                "FRA": {"ID": {"enabled": 1}, "P": {"enabled": 1}},
                "PRT": {"P": {"enabled": 1, "sides": 2}, "NEW": {"enabled": 0}},
            }})
        );
        assert_eq!(
            config(
                json!({"poa_languages_allowed": ["es", " EN"], "poa_documents_allowed": {"ESP": ["PASSPORT"]}})
            ),
            json!({"poa_languages_allowed": {"es": 1, "en": 1}, "poa_documents_allowed": {"ESP": {"PASSPORT": {"enabled": 1}}}})
        );
        let kept = json!({"documents_allowed": {}, "anything": [1, {"else": null}], "poa_languages_allowed": {"es": 0}});
        assert_eq!(config(kept.clone()), kept);
    }

    #[test]
    fn a_list_for_all_countries_is_refused_with_the_remedy() {
        let with = |value: Value| {
            refused(
                json!({"a": {"node_type": "feature", "feature": "OCR", "config": {"documents_allowed": value}}}),
            )
        };
        for (value, path) in [
            (json!(["PASSPORT"]), "is a list"),
            (json!({"ALL": {"P": 1}}), "is not a country"),
        ] {
            let text = with(value);
            assert!(
                text.starts_with("nodes.a.config.documents_allowed"),
                "{text}"
            );
            assert!(
                text.contains(path) && text.contains("didit_workflow_build_graph"),
                "{text}"
            );
        }
        assert_eq!(
            with(json!({"ESP": {"P": 0, "PASSPORT": 1}})),
            "nodes.a.config.documents_allowed.ESP.P is there twice, by its code and by a name"
        );
    }
}
