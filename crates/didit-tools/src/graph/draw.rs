//! A graph as text that a model and a person can read.

use std::collections::BTreeSet;

use serde_json::Value;

use super::parse::unprintable;
use super::{Branch, Graph, Kind, Node, Operator, Rule};

/// The most lines of a drawing: what a person still scrolls through; a line tells how much is left out.
const MAX_LINES: usize = 200;

/// The widest line, in characters.
const MAX_WIDTH: usize = 120;

/// How deep branches are drawn within branches; deeper nodes are drawn below on their own.
const MAX_NESTING: usize = 12;

/// The most rules of a branch that are spelled out.
const MAX_RULES_SHOWN: usize = 3;

/// The most characters of a value.
const MAX_VALUE: usize = 30;

impl Graph {
    /// The graph as lines of text, the same for the same graph.
    ///
    /// Ways run downwards (`↓`), branches are indented under their fork, and every node is drawn once:
    /// where a way leads to a node that is drawn elsewhere, the line names it (`→ yes (above)`, `→ ocr (back)`).
    /// At most 200 lines of 120 characters.
    pub fn draw(&self) -> String {
        let mut drawing = Drawing {
            graph: self,
            lines: Vec::new(),
            left_out: 0,
            drawn: BTreeSet::new(),
            path: Vec::new(),
            below: Vec::new(),
        };
        drawing.line(0, &format!("start: {}", clean(&self.start_node, MAX_WIDTH)));
        drawing.chain(&self.start_node, 0);
        while let Some(id) = drawing.next_below() {
            drawing.line(0, "");
            drawing.chain(id, 0);
        }
        drawing.unreached();
        drawing.finish()
    }
}

struct Drawing<'a> {
    graph: &'a Graph,
    lines: Vec<String>,
    left_out: usize,
    drawn: BTreeSet<&'a str>,
    /// The nodes between the start and here.
    path: Vec<&'a str>,
    /// Nodes that are too deep to be drawn where they are met.
    below: Vec<&'a str>,
}

impl<'a> Drawing<'a> {
    fn line(&mut self, depth: usize, text: &str) {
        if self.lines.len() >= MAX_LINES {
            self.left_out += 1;
            return;
        }
        let line = format!("{}{text}", "│  ".repeat(depth));
        self.lines.push(clean(&line, MAX_WIDTH));
    }

    fn next_below(&mut self) -> Option<&'a str> {
        let at = self.below.iter().position(|id| !self.drawn.contains(id))?;
        Some(self.below.remove(at))
    }

    /// Draws a node and what follows it, down to an end, a fork or a node that is drawn already.
    fn chain(&mut self, start: &'a str, depth: usize) {
        let passed = self.path.len();
        let mut here = start;
        loop {
            let Some((id, node)) = self.graph.nodes.get_key_value(here) else {
                self.line(depth, &format!("→ {here} (no such node)"));
                break;
            };
            if let Some(why) = self.drawn_where(id) {
                self.line(depth, &format!("→ {id} ({why})"));
                break;
            }
            self.drawn.insert(id);
            self.path.push(id);
            self.line(depth, &title(id, node));
            let branches = node.branches.as_deref().unwrap_or_default();
            for (index, branch) in branches.iter().enumerate() {
                self.branch(
                    branch,
                    depth,
                    index + 1 == branches.len() && node.next.is_none(),
                );
            }
            match &node.next {
                Some(next) if branches.is_empty() => {
                    self.line(depth, "↓");
                    here = next;
                }
                Some(next) => {
                    self.line(depth, "└─ otherwise");
                    self.nested(next, depth + 1);
                    break;
                }
                None => break,
            }
        }
        self.path.truncate(passed);
    }

    fn branch(&mut self, branch: &'a Branch, depth: usize, last: bool) {
        let corner = if last { "└─" } else { "├─" };
        self.line(depth, &format!("{corner} {}", condition(branch)));
        match &branch.goto {
            Some(goto) => self.nested(goto, depth + 1),
            None => self.line(depth + 1, "→ (nowhere)"),
        }
    }

    fn nested(&mut self, id: &'a str, depth: usize) {
        let known = self.graph.nodes.contains_key(id) && !self.drawn.contains(id);
        if depth > MAX_NESTING && known {
            self.line(depth, &format!("→ {id} (below)"));
            self.below.push(id);
        } else {
            self.chain(id, depth);
        }
    }

    fn drawn_where(&self, id: &str) -> Option<&'static str> {
        if self.path.contains(&id) {
            Some("back")
        } else if self.drawn.contains(id) {
            Some("above")
        } else {
            None
        }
    }

    fn unreached(&mut self) {
        let graph = self.graph;
        let rest: Vec<(&String, &Node)> = graph
            .nodes
            .iter()
            .filter(|(id, _)| !self.drawn.contains(id.as_str()))
            .collect();
        if rest.is_empty() {
            return;
        }
        self.line(0, "");
        self.line(0, "never reached:");
        for (id, node) in rest {
            self.line(0, &format!("  {}", title(id, node)));
        }
    }

    fn finish(mut self) -> String {
        if self.left_out > 0 {
            self.lines
                .push(format!("… and {} more lines", self.left_out));
        }
        self.lines.join("\n")
    }
}

fn title(id: &str, node: &Node) -> String {
    let mut text = format!("{id}: {}", node.node_type);
    if let Some(feature) = &node.feature {
        text.push_str(&format!(" {feature}"));
    }
    if let (Some(Kind::Status), Some(status)) = (node.kind(), &node.session_status) {
        text.push_str(&format!(" {status}"));
    }
    match node.config.as_ref().map_or(0, serde_json::Map::len) {
        0 => {}
        1 => text.push_str(" (1 setting)"),
        count => text.push_str(&format!(" ({count} settings)")),
    }
    text
}

fn condition(branch: &Branch) -> String {
    let id = branch.id.as_deref().unwrap_or("?");
    let rules = branch.rules.as_deref().unwrap_or_default();
    if rules.is_empty() {
        return match id {
            "else" => "else".to_owned(),
            _ => format!("{id}: else"),
        };
    }
    let word = match branch.logic.as_deref() {
        Some("or") => " or ",
        _ => " and ",
    };
    let shown: Vec<String> = rules
        .iter()
        .take(MAX_RULES_SHOWN)
        .map(condition_of)
        .collect();
    let mut text = format!("{id}: if {}", shown.join(word));
    if let Some(more) = rules
        .len()
        .checked_sub(MAX_RULES_SHOWN)
        .filter(|more| *more > 0)
    {
        text.push_str(&format!("{word}{more} more"));
    }
    text
}

/// A rule in words, for a drawing or a sentence.
pub(crate) fn condition_of(rule: &Rule) -> String {
    let field = rule.field.as_deref().unwrap_or("?");
    let word = rule.operator.as_deref().unwrap_or("?");
    let sign = match Operator::parse(word) {
        Some(Operator::Equals) => "=",
        Some(Operator::NotEquals) => "≠",
        Some(Operator::GreaterThan) => ">",
        Some(Operator::GreaterThanOrEquals) => "≥",
        Some(Operator::LessThan) => "<",
        Some(Operator::LessThanOrEquals) => "≤",
        Some(operator) if !operator.takes_a_value() => {
            return clean(&format!("{field} {}", word.replace('_', " ")), MAX_WIDTH);
        }
        _ => word,
    };
    let value = match &rule.value {
        None => "?".to_owned(),
        Some(Value::String(text)) => clean(text, MAX_VALUE),
        Some(other) => clean(&other.to_string(), MAX_VALUE),
    };
    clean(
        &format!("{field} {} {value}", sign.replace('_', " ")),
        MAX_WIDTH,
    )
}

/// One line without control characters, cut where it gets too long.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count + 1 == most && text.chars().nth(most).is_some() {
            out.push('…');
            break;
        }
        out.push(if unprintable(c) { ' ' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn draw(start: &str, nodes: Value) -> String {
        Graph::parse(&json!({"start_node": start, "nodes": nodes}))
            .unwrap()
            .draw()
    }

    #[test]
    fn a_workflow_reads_from_top_to_bottom() {
        let text = draw(
            "ocr",
            json!({
                "ocr": {"node_type": "feature", "feature": "OCR", "config": {"a": 1, "b": 2}, "next": "live"},
                "live": {"node_type": "feature", "feature": "LIVENESS", "config": {"a": 1}, "next": "route"},
                "route": {"node_type": "branch", "branches": [
                    {"id": "young", "rules": [{"field": "kyc.age", "operator": "less_than", "value": 18}], "goto": "no"},
                    {"id": "far", "logic": "or", "rules": [
                        {"field": "kyc.issuing_state", "operator": "not_in", "value": ["ESP", "PRT"]},
                        {"field": "kyc.age", "operator": "is_empty"},
                    ], "goto": "look"},
                    {"id": "else", "rules": [], "goto": "yes"},
                ]},
                "look": {"node_type": "branch", "branches": [{"id": "x", "goto": "yes"}], "next": "ocr"},
                "no": {"node_type": "status", "session_status": "Declined"},
                "yes": {"node_type": "status", "session_status": "Approved"},
                "lost": {"node_type": "webhook", "next": "yes"},
            }),
        );
        let want = "\
start: ocr
ocr: feature OCR (2 settings)
↓
live: feature LIVENESS (1 setting)
↓
route: branch
├─ young: if kyc.age < 18
│  no: status Declined
├─ far: if kyc.issuing_state not in [\"ESP\",\"PRT\"] or kyc.age is empty
│  look: branch
│  ├─ x: else
│  │  yes: status Approved
│  └─ otherwise
│  │  → ocr (back)
└─ else
│  → yes (above)

never reached:
  lost: webhook";
        assert_eq!(text, want);
    }

    #[test]
    fn what_is_wrong_is_drawn_too() {
        assert_eq!(draw("x", json!({})), "start: x\n→ x (no such node)");
        let text = draw(
            "a",
            json!({"a": {"node_type": "branch", "branches": [
                {"id": "b", "rules": [{}, {"operator": "likes"}, {}, {}, {}]}, {"goto": "ghost"},
            ]}}),
        );
        assert_eq!(
            text,
            "start: a\na: branch\n├─ b: if ? ? ? and ? likes ? and ? ? ? and 2 more\n│  → (nowhere)\n└─ ?: else\n│  → ghost (no such node)"
        );
    }

    #[test]
    fn text_cannot_break_out_of_its_line() {
        let text = draw(
            "a",
            json!({"a": {"node_type": "branch\nb: status Approved", "branches": [{"id": "x\u{202e}y", "rules": [
                {"field": "f", "operator": "equals", "value": "v\r\n".to_owned() + &"long".repeat(50)},
            ], "goto": "a"}]}}),
        );
        assert_eq!(
            text,
            format!(
                "start: a\na: branch b: status Approved\n└─ x y: if f = v  {}lo…\n│  → a (back)",
                "long".repeat(6)
            )
        );
        let wide = draw("a", json!({"a": {"node_type": "x".repeat(500)}}));
        assert!(wide.lines().all(|line| line.chars().count() <= MAX_WIDTH));
        assert!(wide.ends_with("x…"));
    }

    #[test]
    fn deep_forks_are_drawn_below() {
        let nodes: serde_json::Map<String, Value> = (0..40)
            .map(|n| {
                let to = format!("n{:02}", n + 1);
                (
                    format!("n{n:02}"),
                    json!({"node_type": "branch", "branches": [{"id": "a", "goto": to}]}),
                )
            })
            .chain([(
                "n40".to_owned(),
                json!({"node_type": "status", "session_status": "Approved"}),
            )])
            .collect();
        let text = draw("n00", nodes.into());
        assert!(text.contains("→ n13 (below)"), "{text}");
        for n in 0..=40 {
            assert!(text.contains(&format!("n{n:02}: ")), "{n}\n{text}");
        }
    }

    #[test]
    fn a_long_drawing_says_how_much_is_left_out() {
        let nodes: serde_json::Map<String, Value> = (0..300)
            .map(|n| {
                (
                    format!("n{n}"),
                    json!({"node_type": "action", "next": format!("n{}", n + 1)}),
                )
            })
            .collect();
        let text = draw("n0", nodes.into());
        assert_eq!(text.lines().count(), MAX_LINES + 1);
        assert!(text.ends_with("… and 402 more lines"));
    }
}
