//! What the rows say to a model: no name that is not there, no size that is not so, and no more than it needs.

use std::collections::BTreeSet;

use super::super::*;
use crate::file;
use crate::handler::shown;
use crate::schema::Shape;
use crate::tools::Surface;

/// The most bytes of JSON that the list of the toolset `core` has: a model pays for it in every conversation.
const MAX_CORE: usize = 28_000;

/// The most bytes of JSON that the whole list has.
const MAX_ALL: usize = 190_000;

/// The most characters of a description: four sentences.
const MAX_DESCRIPTION: usize = 420;

/// The words of a text that look like the name of a tool.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("didit_"))
}

/// The texts of a shape, inside it too.
fn inside(shape: &Shape, at: &str, texts: &mut Vec<(String, &'static str)>) {
    match shape {
        Shape::Object { properties, .. } => {
            for property in *properties {
                let at = format!("{at}.{}", property.name);
                texts.push((at.clone(), property.says));
                inside(&property.shape, &at, texts);
            }
        }
        Shape::List { of, .. } => inside(of, &format!("{at}[]"), texts),
        Shape::OrNull(shape) => inside(shape, at, texts),
        _ => {}
    }
}

/// Every text of a tool that is shown on a surface, with its place.
fn texts(tool: &Tool, surface: Surface) -> Vec<(String, &'static str)> {
    let mut texts = vec![(tool.name.to_owned(), tool.says)];
    let arguments = tool.arguments.iter();
    for argument in arguments.filter(|argument| surface == Surface::Stdio || !argument.stdio_only) {
        let at = format!("{} {}", tool.name, argument.name);
        texts.push((at.clone(), argument.says));
        inside(&argument.shape, &at, &mut texts);
    }
    texts
}

/// The names in the texts of some tools that are not among those of others.
fn strangers(shown: &[&Tool], known: &[&Tool], surface: Surface) -> Vec<String> {
    let known: BTreeSet<&str> = known.iter().map(|tool| tool.name).collect();
    // An argument may look like a tool; it is not one.
    let arguments = all().flat_map(|tool| tool.arguments);
    let arguments: BTreeSet<&str> = arguments.map(|argument| argument.name).collect();
    let mut found = Vec::new();
    for tool in shown {
        for (at, text) in texts(tool, surface) {
            let words =
                named(text).filter(|word| !known.contains(word) && !arguments.contains(word));
            found.extend(words.map(|word| format!("{at}: {word}")));
        }
    }
    found
}

fn offered(surface: Surface) -> Vec<&'static Tool> {
    let over_stdio = surface == Surface::Stdio;
    let offers = |tool: &&Tool| over_stdio || tool.visibility == Visibility::Everywhere;
    all().filter(offers).collect()
}

#[test]
fn a_text_names_only_tools_that_are_offered_beside_it() {
    for surface in [Surface::Http, Surface::Stdio] {
        let offered = offered(surface);
        assert_eq!(strangers(&offered, &offered, surface), [""; 0]);
    }
    // Were they shown over HTTP, the tools of standard input and output would name each other there.
    let all = offered(Surface::Stdio);
    assert!(!strangers(&all, &offered(Surface::Http), Surface::Http).is_empty());
}

#[test]
fn the_texts_of_core_name_core_alone() {
    let core: Vec<&Tool> = all().filter(|tool| tool.core).collect();
    assert_eq!(strangers(&core, &core, Surface::Http), [""; 0]);
}

#[test]
fn every_tool_and_every_argument_says_what_it_is_in_sentences() {
    for tool in all() {
        let length = tool.says.chars().count();
        assert!(
            (60..=MAX_DESCRIPTION).contains(&length),
            "{} {length}",
            tool.name
        );
        for (at, text) in texts(tool, Surface::Stdio) {
            let inner = at.contains(['.', '[']);
            assert!(inner || text.chars().count() >= 10, "{at}: {text}");
            assert!(text.is_empty() || text.ends_with('.'), "{at}: {text}");
            let odd = ["  ", "..", " .", "\n", "\t"];
            assert!(!odd.iter().any(|odd| text.contains(odd)), "{at}: {text}");
        }
    }
}

#[test]
fn days_countries_and_bounds_are_said_where_a_model_would_guess() {
    for tool in all() {
        for argument in tool.arguments {
            let (at, text) = (format!("{} {}", tool.name, argument.name), argument.says);
            let says = |words: &str| assert!(text.contains(words), "{at}: {text}");
            match argument.name {
                "date_from" | "date_to" | "date_of_birth" | "as_of" | "issue_date"
                | "date_of_issue" | "expiration_date" => says("YYYY-MM-DD"),
                "issuing_state" | "nationality" | "issuing_states" | "expected_country" => {
                    says("alpha-3");
                }
                "phone_number" => says("+34600000000"),
                _ => {}
            }
            if argument.name.ends_with("_days") || argument.name.ends_with("_hours") {
                assert!(
                    text.contains("day") || text.contains("Hours"),
                    "{at}: {text}"
                );
            }
        }
    }
}

#[test]
fn the_size_of_a_file_is_said_as_it_is_held() {
    for tool in all() {
        for upload in tool.uploads {
            let most = file::takes(tool.operations[0], upload.field).most / (1024 * 1024);
            let text = tool.argument(upload.base64).unwrap().says;
            let like_the_first = text.contains("in the same way");
            assert!(
                like_the_first || text.contains(&format!(" {most} MB")),
                "{}: {text}",
                tool.name
            );
        }
        let sizes = tool.uploads.iter();
        let sizes: BTreeSet<usize> = sizes
            .map(|upload| file::takes(tool.operations[0], upload.field).most)
            .collect();
        assert!(sizes.len() < 2, "{}: not all in the same way", tool.name);
    }
}

/// The bytes of a list as it is sent.
fn size<'a>(tools: impl Iterator<Item = &'a Tool>, surface: Surface) -> usize {
    let listed: Vec<_> = tools
        .map(|tool| shown(tool, tool.name, surface).unwrap())
        .collect();
    serde_json::to_vec(&listed).unwrap().len()
}

#[test]
fn the_lists_cost_no_more_than_they_need() {
    let core = size(all().filter(|tool| tool.core), Surface::Http);
    assert!(core <= MAX_CORE, "core has {core} bytes");
    let whole = size(all(), Surface::Stdio);
    assert!(whole <= MAX_ALL, "the whole list has {whole} bytes");
}
