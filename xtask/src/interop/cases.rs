//! The cases: what both sides do with one another, whatever the SDK, the transport and the revision are.

/// Every case, in the order in which they are played. The programs print these names.
pub(crate) const CASES: [&str; 22] = [
    "revision",
    "tools",
    "text",
    "structured content",
    "failing tool",
    "unknown tool",
    "progress",
    "log",
    "resources",
    "reading a resource",
    "unknown resource",
    "pages",
    "prompts",
    "getting a prompt",
    "completion",
    "elicitation",
    "sampling",
    "roots",
    "cancellation",
    "changed list",
    "changed resource",
    "end",
];

/// What a program prints in front of each case that went as it should.
const SEEN: &str = "  ok  ";

/// The name of the case in a line of a program.
pub(crate) fn named(line: &str) -> Option<&str> {
    line.strip_prefix(SEEN)
}

/// What is wrong with the cases that were seen, if anything: all of them once, save those that are left out.
pub(crate) fn judge(seen: &[String], without: &[(&str, &str)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for case in CASES {
        let times = seen.iter().filter(|name| *name == case).count();
        let left_out = without.iter().any(|(name, _)| *name == case);
        match (times, left_out) {
            (0, true) | (1, false) => {}
            (0, false) => complaints.push(format!("{case:?} was not seen")),
            (_, true) => complaints.push(format!("{case:?} is listed as left out, and was seen")),
            (_, false) => complaints.push(format!("{case:?} was seen {times} times")),
        }
    }
    for name in seen.iter().filter(|name| !CASES.contains(&name.as_str())) {
        complaints.push(format!("{name:?} is no case"));
    }
    for (name, _) in without.iter().filter(|(name, _)| !CASES.contains(name)) {
        complaints.push(format!("{name:?} is left out, and no case"));
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_but(left_out: &[&str]) -> Vec<String> {
        CASES
            .into_iter()
            .filter(|case| !left_out.contains(case))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_line_names_its_case() {
        assert_eq!(named("  ok  text"), Some("text"));
        assert_eq!(named("  FAILED  text"), None);
    }

    #[test]
    fn all_cases_once_are_right() {
        assert!(judge(&all_but(&[]), &[]).is_empty());
        assert!(judge(&all_but(&["roots"]), &[("roots", "why")]).is_empty());
    }

    #[test]
    fn anything_else_is_named() {
        assert_eq!(judge(&all_but(&["roots"]), &[]), ["\"roots\" was not seen"]);
        assert_eq!(
            judge(&all_but(&[]), &[("roots", "why")]),
            ["\"roots\" is listed as left out, and was seen"]
        );
        let mut twice = all_but(&[]);
        twice.push("text".to_owned());
        assert_eq!(judge(&twice, &[]), ["\"text\" was seen 2 times"]);
        let mut strange = all_but(&[]);
        strange.push("dance".to_owned());
        assert_eq!(judge(&strange, &[]), ["\"dance\" is no case"]);
        assert_eq!(
            judge(&all_but(&[]), &[("dance", "why")]),
            ["\"dance\" is left out, and no case"]
        );
    }
}
