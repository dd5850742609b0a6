//! What verifying a token costs beside the signature check of the library beneath.

use std::fmt::Write as _;

use super::server;
use crate::Outcome;
use crate::process::Step;
use crate::workspace::{Workspace, read};

/// How often each is done for counting instructions: the start is left out by doing it thrice as often.
const COUNTED: u64 = 100;

/// The bars, as multiples of the bare check.
const BARS: [(&str, &str); 3] = [("ES256", "1.03"), ("EdDSA", "1.03"), ("RS256", "1.08")];

/// Measures, and writes the table.
pub(super) fn run(workspace: &Workspace) -> Outcome<String> {
    let (good, printed) = Step::new(program(workspace)).output()?;
    if !good {
        return Err(format!("bench-tokens: {printed}"));
    }
    let mut table = String::from(
        "| token | bare `ring`, µs | signature | ratio (quarter to three quarters of the rounds) | bar | with its claims | instructions: bare | signature | with its claims |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for (alg, bar) in BARS {
        let line = Line::find(&printed, alg)
            .ok_or_else(|| format!("no line for {alg} in what bench-tokens says:\n{printed}"))?;
        let counted = if server::can_count() {
            let count = |what| instructions(workspace, alg, what);
            format!(
                "{} | {} | {}",
                count("bare")?,
                count("payload")?,
                count("claims")?
            )
        } else {
            "*not measured* | *not measured* | *not measured*".to_owned()
        };
        let _infallible = writeln!(
            table,
            "| {alg} | {:.1} | {:.1} | **{:.3}** ({:.3} to {:.3}) | {bar} | {:.3} | {counted} |",
            line.bare / 1000.0,
            line.payload / 1000.0,
            line.ratio,
            line.low,
            line.high,
            line.claims,
        );
    }
    Ok(table)
}

/// The numbers of one algorithm: nanoseconds, then ratios.
struct Line {
    bare: f64,
    payload: f64,
    ratio: f64,
    low: f64,
    high: f64,
    claims: f64,
}

impl Line {
    fn find(printed: &str, alg: &str) -> Option<Self> {
        let line = printed
            .lines()
            .find(|line| line.split(' ').next() == Some(alg))?;
        let mut numbers = line.split(' ').skip(1).map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self {
            bare: next()?,
            payload: next()?,
            ratio: next()?,
            low: next()?,
            high: next()?,
            claims: next()?,
        })
    }
}

/// Instructions for each time.
fn instructions(workspace: &Workspace, alg: &str, what: &str) -> Outcome<u64> {
    let log = server::log(workspace)?;
    let count = |times: u64| {
        server::counting(&log)
            .arg(program(workspace))
            .args(&["count", alg, what, &times.to_string()])
            .output()?;
        server::count_in(&read(&log)?)
    };
    let (few, many) = (count(COUNTED)?, count(COUNTED * 3)?);
    Ok(many.saturating_sub(few) / (COUNTED * 2))
}

fn program(workspace: &Workspace) -> std::path::PathBuf {
    workspace.released("bench-tokens")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_an_algorithm_is_found() {
        let printed = "ES256 1 2 1.5 1.4 1.6 1.7\nES384 3 4 1.1 1.0 1.2 1.3\n";
        let line = Line::find(printed, "ES384").unwrap();
        assert_eq!((line.bare, line.claims), (3.0, 1.3));
        assert!(Line::find(printed, "RS256").is_none());
        assert!(Line::find("ES256 1 2", "ES256").is_none());
    }
}
