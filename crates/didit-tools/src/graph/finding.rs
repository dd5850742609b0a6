//! What is wrong with a graph, and where.

use std::fmt;

use serde_json::{Value, json};

/// The most allowed values that a message lists.
const MAX_ALLOWED: usize = 40;

/// The longest name that is compared with others, in characters: the comparison costs its square.
const MAX_COMPARED: usize = 64;

/// One thing that is wrong, or odd, at one place of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where: `nodes.ocr.branches[0].goto`.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
    /// What would be right, where that is a closed list.
    pub allowed: Vec<String>,
    /// The allowed value that was probably meant.
    pub nearest: Option<String>,
}

impl Finding {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            allowed: Vec::new(),
            nearest: None,
        }
    }

    /// Adds what would be right, and the one of them that is most like what was given.
    pub(crate) fn among<'a>(mut self, given: &str, allowed: impl Iterator<Item = &'a str>) -> Self {
        let allowed: Vec<&str> = allowed.collect();
        self.nearest = nearest(given, &allowed).map(str::to_owned);
        self.allowed = allowed
            .into_iter()
            .take(MAX_ALLOWED)
            .map(str::to_owned)
            .collect();
        self
    }

    /// As JSON, for an answer; members that would be empty are left out.
    pub fn to_value(&self) -> Value {
        let mut value = json!({ "path": self.path, "message": self.message });
        if let Value::Object(out) = &mut value {
            if !self.allowed.is_empty() {
                out.insert("allowed".into(), json!(self.allowed));
            }
            if let Some(nearest) = &self.nearest {
                out.insert("nearest".into(), json!(nearest));
            }
        }
        value
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.message)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean {nearest}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Finding {}

/// The candidate that differs least, if it differs little: by a third of its characters, and by two at least.
pub(crate) fn nearest<'a>(given: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let given: Vec<char> = fold(given);
    if given.is_empty() || given.len() > MAX_COMPARED {
        return None;
    }
    candidates
        .iter()
        .filter_map(|candidate| {
            let letters = fold(candidate);
            let most = (letters.len() / 3).max(2);
            if letters.len() > MAX_COMPARED || letters.len().abs_diff(given.len()) > most {
                return None;
            }
            let distance = distance(&given, &letters);
            (distance <= most && distance < letters.len()).then_some((distance, *candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn fold(text: &str) -> Vec<char> {
    let folded = |c: char| match c {
        '-' | ' ' => '_',
        _ => c.to_ascii_lowercase(),
    };
    text.chars().take(MAX_COMPARED + 1).map(folded).collect()
}

/// How many letters must be put in, taken out or replaced (Levenshtein).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut filled = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(x != y);
            left = replaced.min(left + 1).min(*above + 1);
            diagonal = *above;
            filled.push(left);
        }
        row = filled;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted() {
        let count = |a: &str, b: &str| distance(&fold(a), &fold(b));
        assert_eq!(count("kitten", "sitting"), 3);
        assert_eq!(count("", "abc"), 3);
        assert_eq!(count("abc", ""), 3);
        assert_eq!(count("same", "same"), 0);
    }

    #[test]
    fn the_nearest_is_near() {
        let all = ["greater_than", "less_than", "equals", "in"];
        assert_eq!(nearest("equal", &all), Some("equals"));
        assert_eq!(nearest("Greater Than", &all), Some("greater_than"));
        assert_eq!(nearest("matches", &all), None);
        assert_eq!(nearest("", &all), None);
        assert_eq!(nearest("xy", &["in"]), None);
        assert_eq!(nearest(&"a".repeat(5000), &all), None);
    }

    #[test]
    fn it_reads_as_a_sentence() {
        let finding =
            Finding::new("start_node", "names no node").among("ocrr", ["ocr"].into_iter());
        assert_eq!(
            finding.to_string(),
            "start_node names no node; did you mean ocr?"
        );
        assert_eq!(
            finding.to_value(),
            json!({"path": "start_node", "message": "names no node", "allowed": ["ocr"], "nearest": "ocr"})
        );
        assert_eq!(
            Finding::new("a", "b").to_value(),
            json!({"path": "a", "message": "b"})
        );
    }
}
