//! What a guard costs: a decision beside the least that it can cost, a guarded endpoint beside the
//! same one without a guard, and strangers who send tokens that are no good.

use std::fmt::Write as _;

use super::compare::{self, Beside, Comparison};
use super::load::Request;
use super::server::Program;
use super::{requests, server};
use crate::Outcome;
use crate::process::Step;
use crate::workspace::{Workspace, read};

/// What is decided, beside what, the bar as a multiple of that, and how often it is done for
/// counting instructions.
const DECISIONS: [(&str, &str, &str, u64); 4] = [
    ("repeated", "a token that comes again", "1.5", 10_000),
    ("ES256", "a new token, ES256", "1.05", 100),
    ("EdDSA", "a new token, EdDSA", "1.05", 100),
    ("RS256", "a new token, RS256", "1.12", 100),
];

/// How many strangers there are.
const STRANGERS: &str = "1000000";

/// The length of an answer to a request with a token.
const ANSWER: &str = "200";

/// Measures, and writes the tables.
pub(super) fn run(workspace: &Workspace) -> Outcome<String> {
    let mut report = decisions(workspace)?;
    let _infallible = writeln!(report, "\n{}", endpoints(workspace)?);
    report.push_str(&strangers(workspace)?);
    Ok(report)
}

fn decisions(workspace: &Workspace) -> Outcome<String> {
    let printed = said(workspace, "bench-guard", &[])?;
    let mut table = String::from(
        "| decision | check, µs | beside it, µs | ratio (quarter to three quarters of the rounds) | bar | instructions | beside it |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for (what, name, bar, counted) in DECISIONS {
        let line = Line::find(&printed, what)
            .ok_or_else(|| format!("no line for {what} in what bench-guard says:\n{printed}"))?;
        let counts = if server::can_count() {
            let count = |side| instructions(workspace, what, side, counted);
            format!("{} | {}", count("ours")?, count("bare")?)
        } else {
            "*not measured* | *not measured*".to_owned()
        };
        let _infallible = writeln!(
            table,
            "| {name} | {:.2} | {:.2} | **{:.3}** ({:.3} to {:.3}) | {bar} | {counts} |",
            line.ours / 1000.0,
            line.bare / 1000.0,
            line.ratio,
            line.low,
            line.high,
        );
    }
    Ok(table)
}

fn endpoints(workspace: &Workspace) -> Outcome<String> {
    let token = said(workspace, "bench-guard", &["token"])?;
    let with_token = requests::get(Some(token.trim()));
    let without = requests::get(None);
    let mut table = compare::table("request to a guarded endpoint", "bare hyper");
    let comparisons = [
        Comparison {
            name: "with a token that comes again",
            ours: Program::bench(workspace, &["guarded", ANSWER]),
            bare_asked: with_token.clone(),
            asked: with_token,
            beside: Beside::SameBody,
            requests: 8_000,
            counted: 400,
            bar: 1.15,
        },
        Comparison {
            name: "without a token, refused",
            ours: Program::bench(workspace, &["guarded", ANSWER]),
            bare_asked: Request {
                status: 200,
                ..without.clone()
            },
            asked: without,
            beside: Beside::SameAnswer,
            requests: 8_000,
            counted: 400,
            bar: 1.1,
        },
    ];
    for comparison in &comparisons {
        comparison.run(workspace, &mut table)?;
    }
    Ok(table)
}

fn strangers(workspace: &Workspace) -> Outcome<String> {
    let printed = said(workspace, "bench-strangers", &[STRANGERS])?;
    let mut numbers = printed.split_whitespace();
    let mut next = || {
        let number = numbers.next();
        number.ok_or_else(|| format!("bench-strangers says {printed:?}"))
    };
    Ok(format!(
        "{STRANGERS} distinct invalid tokens, one after the other: {} bytes left, {} tokens remembered (the valid one), {} fetches of keys in {} s (bar: 0 bytes, the first fetch and one in 30 s)",
        next()?,
        next()?,
        next()?,
        next()?,
    ))
}

fn said(workspace: &Workspace, program: &str, arguments: &[&str]) -> Outcome<String> {
    let program = workspace.released(program);
    let (good, printed) = Step::new(program.clone()).args(arguments).output()?;
    if good {
        Ok(printed)
    } else {
        Err(format!("{}: {printed}", program.display()))
    }
}

/// The numbers of one comparison: nanoseconds, then ratios.
struct Line {
    ours: f64,
    bare: f64,
    ratio: f64,
    low: f64,
    high: f64,
}

impl Line {
    fn find(printed: &str, what: &str) -> Option<Self> {
        let mut lines = printed.lines();
        let line = lines.find(|line| line.split(' ').next() == Some(what))?;
        let mut numbers = line.split(' ').skip(1).map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self {
            ours: next()?,
            bare: next()?,
            ratio: next()?,
            low: next()?,
            high: next()?,
        })
    }
}

/// Instructions for each time.
fn instructions(workspace: &Workspace, what: &str, side: &str, times: u64) -> Outcome<u64> {
    let log = server::log(workspace)?;
    let count = |times: u64| {
        server::counting(&log)
            .arg(workspace.released("bench-guard"))
            .args(&["count", what, side, &times.to_string()])
            .output()?;
        server::count_in(&read(&log)?)
    };
    let (few, many) = (count(times)?, count(times * 3)?);
    Ok(many.saturating_sub(few) / (times * 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_comparison_is_found() {
        let printed = "repeated 1 2 1.5 1.4 1.6\nES256 3 4 1.1 1.0 1.2\n";
        let line = Line::find(printed, "ES256").unwrap();
        assert_eq!((line.ours, line.high), (3.0, 1.2));
        assert!(Line::find(printed, "RS256").is_none());
        assert!(Line::find("ES256 1 2", "ES256").is_none());
    }
}
