//! The tool that finds tools which the address of the server leaves out of the list.

use std::cmp::Reverse;

use didit_client::operation::Kind;
use serde_json::{Value, json};

use super::{NotHere, Selection, Where};
use crate::catalog::{self, SEARCH, Tool};
use crate::schema::{Checked, input_schema};
use crate::tools::Surface;

/// How many tools an answer has, unless it is said: a schema is up to a few thousand characters.
const DEFAULT_LIMIT: usize = 5;

/// How many words of a query count.
const MAX_WORDS: usize = 16;

/// How many tools that cannot be called are named.
const MAX_UNAVAILABLE: usize = 5;

/// Runs the search.
pub(crate) fn run(selection: &Selection, checked: &Checked) -> Value {
    let query = checked.text("query").unwrap_or_default().to_lowercase();
    let words = query
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && *word != "didit");
    let words: Vec<&str> = words.take(MAX_WORDS).collect();
    let mut found: Vec<(usize, &'static Tool)> = catalog::all()
        .map(|tool| (score(tool, &words), tool))
        .filter(|(score, _)| *score > 0)
        .collect();
    // Equal ones stay in the order of the list.
    found.sort_by_key(|(score, _)| Reverse(*score));
    let why_not = |tool: &Tool| selection.why_not(tool, Where::Home);
    let (can, cannot): (Vec<_>, Vec<_>) = found
        .into_iter()
        .map(|(_, tool)| (why_not(tool), tool))
        .partition(|(why, _)| matches!(why, None | Some(NotHere::Toolset)));
    let count = can.len();
    let limit = checked.whole("limit").unwrap_or(DEFAULT_LIMIT);
    let tools = can.into_iter().take(limit).map(|(why, tool)| {
        json!({
            "name": tool.name,
            "title": tool.title,
            "description": tool.says,
            "toolsets": tool.toolsets,
            "read_only": tool.kind == Kind::Read,
            "destructive": tool.kind == Kind::Destructive,
            "listed": why.is_none(),
            "input_schema": schema(tool, selection.surface),
        })
    });
    let unavailable = cannot.into_iter().filter_map(|(why, tool)| {
        let failure = why?.told(tool);
        Some(json!({ "name": tool.name, "why": failure.message() }))
    });
    json!({
        "tools": tools.collect::<Vec<_>>(),
        "count": count,
        "not_available": unavailable.take(MAX_UNAVAILABLE).collect::<Vec<_>>(),
        "hint": match count {
            0 => "No tool has any of these words. Try one word for the thing, such as session, workflow, list, case or webhook.",
            _ => "Call a tool by its name, whether it is listed or not.",
        },
    })
}

/// How well a tool fits: words of its name count most.
fn score(tool: &Tool, words: &[&str]) -> usize {
    let (category, says) = (tool.category.to_lowercase(), tool.says.to_lowercase());
    let of_word = |word: &&str| {
        // One letter is in everything.
        let is_part = word.len() > 2;
        if tool.name.split('_').any(|part| one(part) == one(word)) {
            8
        } else if is_part && tool.name.contains(*word) {
            4
        } else if tool.toolsets.contains(word) || is_part && category.contains(*word) {
            2
        } else {
            usize::from(is_part && says.contains(*word))
        }
    };
    words.iter().map(of_word).sum()
}

/// The word without the ending of more than one.
fn one(word: &str) -> &str {
    word.strip_suffix('s').unwrap_or(word)
}

fn schema(tool: &Tool, surface: Surface) -> Value {
    let taken =
        |argument: &&crate::schema::Argument| surface == Surface::Stdio || !argument.stdio_only;
    input_schema(tool.arguments.iter().filter(taken), tool.open, tool.any_of)
}

/// The tool as it is listed.
pub(crate) fn shown() -> Result<mcp_protocol::types::Tool, serde_json::Error> {
    crate::handler::shown(&SEARCH, SEARCH.name, Surface::Http)
}
