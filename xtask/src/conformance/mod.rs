//! `cargo xtask conformance`: the official suite against what we ship, judged by what we expect.

mod expected;
pub(crate) mod judge;
mod listing;
mod page;
mod results;
mod runs;

use crate::Outcome;
use crate::interop;
use crate::node::{self, Node, Prepared};
use crate::requirements::{page as by_requirement, results as requirement_results, table};
use crate::tally::Tally;
use crate::tidy::files;
use crate::workspace::{Workspace, read, write};

use judge::Judged;
pub(crate) use runs::RUNS;

/// What did not pass and why, in the order of the page.
const EXPECTED: &str = "xtask/conformance/expected.json";

/// The page that is generated.
const PAGE: &str = "docs/conformance.md";

/// Runs the suite, or a part of it.
pub(crate) fn run(workspace: &Workspace, only: Option<&str>, check: bool) -> Outcome {
    let node = match node::prepare(workspace)? {
        Prepared::Ready(node) => node,
        Prepared::NotHere(reason) => return Err(format!("not run: {reason}")),
    };
    match only {
        None => all(workspace, &node, check)?.close(),
        Some(part) if part.starts_with(interop::NAME) => {
            interop::run(workspace, Ok(&node), Some(part))?
                .tally
                .close()
        }
        Some(part) => some(workspace, &node, part)?.close(),
    }
}

/// Runs everything; writes the page, or checks that it is what it would be.
pub(crate) fn all(workspace: &Workspace, node: &Node, check: bool) -> Outcome<Tally> {
    let expected = expected::parse(&read(&workspace.path(EXPECTED))?)?;
    let mut judged = Vec::new();
    let mut tally = Tally::default();
    for run in RUNS {
        println!("\n== conformance: {}", run.name);
        let report = runs::execute(workspace, node, &run)?;
        judged.extend(judge::judge(&run, report, &expected, &mut tally));
    }
    for entry in judge::strangers(&expected, &judged) {
        tally.fail(format!(
            "{EXPECTED} lists {entry}, which the suite does not have"
        ));
    }
    let areas = table::read(&files::tracked(workspace)?)?;
    println!("\n== conformance: requirements");
    let results = requirement_results::run(&areas)?;
    let sections: Vec<by_requirement::Section<'_>> = areas
        .iter()
        .map(|area| {
            let rows = requirement_results::judge(area, &results, &judged, &mut tally);
            (area.title.as_str(), rows)
        })
        .collect();
    print!("\n{}", page::table(&judged));
    println!(
        "\n{} scenarios are listed as not passing, with a reason",
        expected.entries.len()
    );
    let path = workspace.path(PAGE);
    let spoken = interop::run(workspace, Ok(node), None)?;
    let mut text = page::render(&by_requirement::render(&sections), &judged);
    text.push_str(&spoken.render(&read(&path).unwrap_or_default()));
    tally.add(spoken.tally);
    if !check {
        write(&path, &text)?;
    } else if read(&path).is_ok_and(|current| current == text) {
        tally.pass(1);
    } else {
        // Kept beside the real one, so that the difference can be read.
        let fresh = workspace.scratch("conformance.md");
        write(&fresh, &text)?;
        tally.fail(format!(
            "{PAGE} is out of date (compare {}); write it with cargo xtask conformance",
            fresh.display()
        ));
    }
    Ok(tally)
}

/// Runs what has `part` in its name: whole runs, or single scenarios of all of them.
fn some(workspace: &Workspace, node: &Node, part: &str) -> Outcome<Tally> {
    let expected = expected::parse(&read(&workspace.path(EXPECTED))?)?;
    let whole: Vec<_> = RUNS.iter().filter(|run| run.name.contains(part)).collect();
    let chosen = if whole.is_empty() {
        RUNS.iter().collect()
    } else {
        whole.clone()
    };
    let mut judged: Vec<Judged> = Vec::new();
    let mut tally = Tally::default();
    for run in chosen {
        println!("\n== conformance: {}", run.name);
        let report = runs::execute(workspace, node, run)?;
        let mut all = Tally::default();
        let mut of_run = judge::judge(run, report, &expected, &mut all);
        if whole.is_empty() {
            of_run.retain(|one| one.scenario.contains(part));
            judge::count(&of_run, &mut tally);
        } else {
            tally.add(all);
        }
        judged.extend(of_run);
    }
    print!("\n{}", page::table(&judged));
    for one in &judged {
        for check in &one.complaints {
            println!("{} {}: {check}", one.run, one.scenario);
        }
    }
    Ok(tally)
}
