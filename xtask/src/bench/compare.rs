//! One request, asked of our server and of a bare one in turns.

use std::fmt::Write as _;

use super::load::{Load, Request};
use super::server::{self, Program, Server};
use super::{CONNECTIONS, per};
use crate::Outcome;
use crate::workspace::Workspace;

/// How often each pair of servers is measured, in turns.
const ROUNDS: usize = 11;

/// Something that is asked of our server, and of the bare one.
pub(super) struct Comparison {
    pub(super) name: &'static str,
    /// Our server.
    pub(super) ours: Program,
    /// What it is asked.
    pub(super) asked: Request,
    /// What the bare server is asked: the same, but for the status of its answer.
    pub(super) bare_asked: Request,
    /// What it is compared with.
    pub(super) beside: Beside,
    /// Requests in one round, and for counting instructions.
    pub(super) requests: usize,
    pub(super) counted: usize,
    /// The most that ours may cost, as a multiple of the bare server.
    pub(super) bar: f64,
}

/// What our server is compared with.
#[derive(Clone, Debug)]
pub(super) enum Beside {
    /// A bare server that answers so many bytes in the body.
    InBody(usize),
    /// A bare server that answers as many bytes in the body as ours.
    SameBody,
    /// A bare server that answers as many bytes as ours in all, head and body.
    SameAnswer,
    /// This program.
    Program(Program),
}

/// The head of the table.
pub(super) fn table(first: &str, bare: &str) -> String {
    format!(
        "| {first} | answer, bytes | CPU, µs | {bare}, µs | ratio (least to most of the rounds) | bar | instructions | {bare} |\n\
         |---|---|---|---|---|---|---|---|\n"
    )
}

impl Comparison {
    /// Measures it and writes its row.
    pub(super) fn run(&self, workspace: &Workspace, table: &mut String) -> Outcome {
        let ours = self.ours.start()?;
        let mut our_load = Load::open(ours.port, CONNECTIONS)?;
        let answer = our_load.run(&self.asked, self.requests)?;
        let bare_of = |bytes: usize| Program::bench(workspace, &["bare", &bytes.to_string()]);
        let bare_program = match &self.beside {
            Beside::InBody(bytes) => bare_of(*bytes),
            Beside::SameBody => bare_of(answer.body),
            Beside::SameAnswer => bare_of(self.same_answer(workspace, answer.head + answer.body)?),
            Beside::Program(program) => program.clone(),
        };
        let bare = bare_program.start()?;
        let mut bare_load = Load::open(bare.port, CONNECTIONS)?;
        bare_load.run(&self.bare_asked, self.requests)?;

        let mut rounds = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            rounds.push(Round {
                ours: cost(&ours, &mut our_load, &self.asked, self.requests)?,
                bare: cost(&bare, &mut bare_load, &self.bare_asked, self.requests)?,
            });
        }
        let ratios = sorted(rounds.iter().map(|round| round.ours / round.bare));
        let (our_cost, bare_cost) = (
            sorted(rounds.iter().map(|round| round.ours)),
            sorted(rounds.iter().map(|round| round.bare)),
        );
        let counted = if server::can_count() {
            let count = |program: &Program, request: &Request| {
                instructions(workspace, program, request, self.counted)
            };
            let ours = count(&self.ours, &self.asked)?;
            format!("{ours} | {}", count(&bare_program, &self.bare_asked)?)
        } else {
            "*not measured* | *not measured*".to_owned()
        };
        let _infallible = writeln!(
            table,
            "| {} | {} | {:.1} | {:.1} | **{:.2}** ({:.2} to {:.2}) | {} | {counted} |",
            self.name,
            answer.body,
            middle(&our_cost) / 1000.0,
            middle(&bare_cost) / 1000.0,
            middle(&ratios),
            ratios.first().copied().unwrap_or_default(),
            ratios.last().copied().unwrap_or_default(),
            self.bar,
        );
        Ok(())
    }

    /// The body that makes an answer of the bare server as long as ours.
    fn same_answer(&self, workspace: &Workspace, whole: usize) -> Outcome<usize> {
        // With as many digits in its length, so that the head is as long.
        let bare = Program::bench(workspace, &["bare", "100"]).start()?;
        let sent = Load::open(bare.port, 1)?.run(&self.bare_asked, 1)?;
        let body = whole.saturating_sub(sent.head);
        if (100..1000).contains(&body) {
            Ok(body)
        } else {
            Err(format!(
                "an answer of {whole} bytes is not in reach of the bare server"
            ))
        }
    }
}

/// What one request cost each server in one round, in nanoseconds on the processor.
struct Round {
    ours: f64,
    bare: f64,
}

fn cost(server: &Server, load: &mut Load, request: &Request, requests: usize) -> Outcome<f64> {
    let before = server.cpu()?;
    let sent = load.run(request, requests)?;
    per(server.cpu()?.saturating_sub(before), sent.requests)
}

/// Instructions for each request: of a long run less those of a short one, so that the start is left out.
fn instructions(
    workspace: &Workspace,
    program: &Program,
    request: &Request,
    requests: usize,
) -> Outcome<u64> {
    let count = |requests: usize| {
        let mut sent = 0;
        let load = |port| {
            sent = Load::open(port, CONNECTIONS)?
                .run(request, requests)?
                .requests;
            Ok(())
        };
        program
            .instructions(workspace, load)
            .map(|count| (count, sent))
    };
    let ((short, few), (long, many)) = (count(requests)?, count(requests * 3)?);
    let each = per(long.saturating_sub(short), many - few)?;
    Ok(each.round() as u64)
}

pub(super) fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The one in the middle.
pub(super) fn middle(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_rounds_is_taken() {
        let values = sorted([3.0, 1.0, 2.0].into_iter());
        assert_eq!(values, [1.0, 2.0, 3.0]);
        assert_eq!(middle(&values), 2.0);
        assert!(per(10, 0).is_err());
        assert_eq!(per(10, 4), Ok(2.5));
    }
}
