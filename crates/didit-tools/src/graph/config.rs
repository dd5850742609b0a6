//! The settings of a check, held against what is known of them: warnings, for the API knows better, and the rules among them.

use serde_json::Value;

use super::check::{Report, check_rule};
use super::feature::{Feature, Form};
use super::omit::is_omitted;
use super::word::RULE_STATUS;
use super::{Finding, MAX_RULES, Node, Rule};

pub(crate) fn check(path: &str, feature: &Feature, node: &Node, report: &mut Report) {
    let Some(config) = &node.config else { return };
    for (name, _) in config.iter().filter(|(_, value)| is_omitted(value)) {
        let message = "was left out of the answer that this graph was taken from, and would be overwritten; read the graph with include_config, or change it with didit_workflow_edit_graph";
        report.error(Finding::new(format!("{path}.config.{name}"), message));
    }
    if feature.settings.is_none() {
        return;
    }
    for (name, value) in config.iter().filter(|(_, value)| !is_omitted(value)) {
        let at = format!("{path}.config.{name}");
        let Some(setting) = feature.setting(name) else {
            let mut finding = Finding::new(
                at,
                format!("is not a setting of {} that is known here", feature.name),
            );
            finding.nearest = feature.nearest_setting(name).map(str::to_owned);
            report.warning(finding);
            continue;
        };
        if let Some(why) = setting.refuses(value) {
            report.warning(Finding::new(at, why));
        } else if setting.form == Form::StatusRules {
            check_status_rules(&at, value, report);
        }
    }
}

fn check_status_rules(path: &str, value: &Value, report: &mut Report) {
    for (index, item) in value
        .as_array()
        .into_iter()
        .flatten()
        .take(MAX_RULES)
        .enumerate()
    {
        let at = format!("{path}[{index}]");
        match Rule::parse(item.clone(), &at) {
            Ok(rule) => check_rule(&at, &rule, report),
            Err(finding) => report.warning(finding),
        }
        let status = item
            .get("status")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !RULE_STATUS.contains(&status) {
            let finding = Finding::new(
                format!("{at}.status"),
                "is not a status that a rule can give",
            );
            report.warning(finding.among(status, RULE_STATUS.iter().copied()));
        }
    }
}
