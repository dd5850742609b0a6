//! Whether what the suite found is what was expected.

use crate::conformance::expected::{Entry, Expected, Kind, Skip};
use crate::conformance::listing::Listed;
use crate::conformance::results::{Check, Reference, Scenario, Status};
use crate::conformance::runs::{Report, Run};
use crate::tally::Tally;

/// One scenario with its verdict.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) run: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) scenario: String,
    pub(crate) scored: bool,
    /// Why it is not scored, where the suite says so.
    pub(crate) mark: Option<String>,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) warned: usize,
    pub(crate) verdict: Verdict,
    /// The checks that did not pass, in the suite's words.
    pub(crate) complaints: Vec<String>,
    pub(crate) references: Vec<Reference>,
}

/// How a scenario came out, against what was expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every check passed, with no warning.
    Passed,
    /// It did not pass, and the list says why.
    Expected { kind: Kind, reason: String },
    /// It did not pass, and nobody said that it would not.
    Unlisted,
    /// It passed although the list says that it does not.
    Stale,
    /// The suite lists it and has no result for it.
    Missing,
}

/// Judges one run: every listed scenario, and that there are as many as there should be.
pub(crate) fn judge(
    run: &Run,
    report: Report,
    expected: &Expected,
    tally: &mut Tally,
) -> Vec<Judged> {
    let executed = report
        .listed
        .iter()
        .filter(|listed| report.scenarios.iter().any(|one| one.name == listed.name))
        .count();
    if executed < run.at_least {
        let least = run.at_least;
        tally.fail(format!(
            "{}: {executed} scenarios ran, of at least {least}",
            run.name
        ));
    }
    let judged: Vec<Judged> = report
        .listed
        .iter()
        .map(|listed| {
            let found = report.scenarios.iter().find(|one| one.name == listed.name);
            let entry = expected
                .entries
                .iter()
                .find(|entry| entry.is_of(run.name) && entry.scenario == listed.name);
            let skips: Vec<&Skip> = expected
                .skips
                .iter()
                .filter(|skip| skip.run == run.name && skip.scenario == listed.name)
                .collect();
            for skip in skips
                .iter()
                .filter(|skip| !found.is_some_and(|one| one.skipped(&skip.check)))
            {
                let (run, scenario, check) = (run.name, &listed.name, &skip.check);
                tally.fail(format!(
                    "{run} {scenario}: {check} is not skipped; take it off the list"
                ));
            }
            judge_one(run, listed, found, entry, &skips)
        })
        .collect();
    count(&judged, tally);
    judged
}

/// Counts scenarios as tests: an expected failure is neither passed nor failed, it is not there yet.
pub(crate) fn count(judged: &[Judged], tally: &mut Tally) {
    for one in judged {
        match &one.verdict {
            Verdict::Passed => tally.pass(1),
            Verdict::Expected { .. } => {}
            Verdict::Unlisted => {
                let first = one
                    .complaints
                    .first()
                    .map_or("nothing was checked", String::as_str);
                tally.fail(format!("{} {}: {first}", one.run, one.scenario));
            }
            Verdict::Stale => {
                tally.fail(format!(
                    "{} {} passes; take it off the list",
                    one.run, one.scenario
                ));
            }
            Verdict::Missing => tally.fail(format!("{} {} was not run", one.run, one.scenario)),
        }
    }
}

fn judge_one(
    run: &Run,
    listed: &Listed,
    found: Option<&Scenario>,
    entry: Option<&Entry>,
    skips: &[&Skip],
) -> Judged {
    let verdict = match (found, entry) {
        (None, _) => Verdict::Missing,
        (Some(scenario), entry) => match (passes(scenario, skips), entry) {
            (true, None) => Verdict::Passed,
            (true, Some(_)) => Verdict::Stale,
            (false, None) => Verdict::Unlisted,
            (false, Some(entry)) => Verdict::Expected {
                kind: entry.kind,
                reason: entry.reason.clone(),
            },
        },
    };
    let count = |status| found.map_or(0, |scenario| scenario.count(status));
    Judged {
        run: run.name,
        subject: run.subject,
        scenario: listed.name.clone(),
        scored: listed.scored,
        mark: listed.mark.clone(),
        passed: count(Status::Success),
        failed: count(Status::Failure),
        warned: count(Status::Warning),
        verdict,
        complaints: found
            .map(|scenario| complaints(scenario, skips))
            .unwrap_or_default(),
        references: found
            .map(|scenario| scenario.references().into_iter().cloned().collect())
            .unwrap_or_default(),
    }
}

/// A scenario passes when something was checked and every check passed.
///
/// A warning is not a pass, and a skip is one only where it is listed.
/// Neither is a scenario that passes although the program has nothing to do for it.
fn passes(scenario: &Scenario, skips: &[&Skip]) -> bool {
    scenario.handled
        && scenario.count(Status::Success) > 0
        && scenario.checks.iter().all(|check| is_good(check, skips))
}

fn is_good(check: &Check, skips: &[&Skip]) -> bool {
    match check.status {
        Status::Success | Status::Info => true,
        Status::Skipped => skips
            .iter()
            .any(|skip| check.name.as_deref() == Some(&skip.check)),
        Status::Failure | Status::Warning => false,
    }
}

fn complaints(scenario: &Scenario, skips: &[&Skip]) -> Vec<String> {
    let unhandled = (!scenario.handled).then(|| "the program does not know it".to_owned());
    let checks = scenario
        .checks
        .iter()
        .filter(|check| !is_good(check, skips))
        .map(|check| {
            let said = check.error_message.as_deref().unwrap_or("no message");
            format!("{} {:?}: {said}", check.id, check.status)
        });
    unhandled.into_iter().chain(checks).collect()
}

/// The entries of the list that name no scenario of any run.
pub(crate) fn strangers(expected: &Expected, judged: &[Judged]) -> Vec<String> {
    let entries = expected
        .entries
        .iter()
        .flat_map(|entry| entry.runs.iter().map(|run| (run, &entry.scenario)));
    let skips = expected
        .skips
        .iter()
        .map(|skip| (&skip.run, &skip.scenario));
    entries
        .chain(skips)
        .filter(|(run, scenario)| {
            !judged
                .iter()
                .any(|one| one.run == run.as_str() && one.scenario == **scenario)
        })
        .map(|(run, scenario)| format!("{run} {scenario}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::expected;
    use crate::conformance::runs::Mode;

    const RUN: Run = Run {
        name: "r",
        subject: "s",
        program: "p",
        mode: Mode::Authorization,
        at_least: 1,
    };

    fn scenario(statuses: &[&str]) -> Scenario {
        let checks: Vec<String> = statuses
            .iter()
            .map(|status| {
                format!(
                    r#"{{"id":"c","name":"{status}","status":"{status}","errorMessage":"why"}}"#
                )
            })
            .collect();
        let text = format!("[{}]", checks.join(","));
        Scenario {
            name: "one".to_owned(),
            handled: true,
            checks: serde_json::from_str(&text).unwrap(),
        }
    }

    fn listed(name: &str) -> Listed {
        Listed {
            name: name.to_owned(),
            scored: true,
            mark: None,
        }
    }

    fn list(scenarios: &[&str]) -> Expected {
        let entries: Vec<String> = scenarios
            .iter()
            .map(|name| {
                format!(
                    r#"{{"runs":["r"],"scenario":"{name}","kind":"not-yet","reason":"not written yet"}}"#
                )
            })
            .collect();
        expected::parse(&format!(r#"{{"entries":[{}]}}"#, entries.join(","))).unwrap()
    }

    fn verdict(found: Option<Scenario>, expected: &Expected) -> (Verdict, Tally) {
        let mut tally = Tally::default();
        let report = Report {
            listed: vec![listed("one")],
            scenarios: found.into_iter().collect(),
        };
        let run = Run { at_least: 0, ..RUN };
        let mut judged = judge(&run, report, expected, &mut tally);
        (judged.remove(0).verdict, tally)
    }

    #[test]
    fn what_passes_passes() {
        let (verdict, tally) = verdict(Some(scenario(&["SUCCESS", "INFO"])), &list(&[]));
        assert_eq!(
            (verdict, tally.passed, tally.failures.len()),
            (Verdict::Passed, 1, 0)
        );
    }

    #[test]
    fn an_unlisted_failure_warning_or_skip_fails() {
        for statuses in [
            &["SUCCESS", "FAILURE"][..],
            &["SUCCESS", "WARNING"],
            &["SKIPPED"],
            &["INFO"],
            &[],
        ] {
            let (verdict, tally) = verdict(Some(scenario(statuses)), &list(&[]));
            assert_eq!(verdict, Verdict::Unlisted, "{statuses:?}");
            assert_eq!((tally.passed, tally.failures.len()), (0, 1), "{statuses:?}");
        }
    }

    #[test]
    fn what_passes_without_a_handler_has_not_passed() {
        let idle = Scenario {
            handled: false,
            ..scenario(&["SUCCESS"])
        };
        let (verdict, tally) = verdict(Some(idle), &list(&[]));
        assert_eq!(verdict, Verdict::Unlisted);
        assert_eq!(tally.failures, ["r one: the program does not know it"]);
    }

    #[test]
    fn a_listed_failure_is_neither_passed_nor_failed() {
        let (verdict, tally) = verdict(Some(scenario(&["FAILURE"])), &list(&["one"]));
        assert!(matches!(
            verdict,
            Verdict::Expected {
                kind: Kind::NotYet,
                ..
            }
        ));
        assert_eq!((tally.passed, tally.failures.len()), (0, 0));
    }

    #[test]
    fn a_listed_skip_is_no_fault_and_one_that_does_not_happen_is() {
        let mut expected = list(&[]);
        expected.skips.push(Skip {
            run: "r".to_owned(),
            scenario: "one".to_owned(),
            check: "SKIPPED".to_owned(),
            reason: "no such message".to_owned(),
        });
        let (passed, tally) = verdict(Some(scenario(&["SUCCESS", "SKIPPED"])), &expected);
        assert_eq!((passed, tally.failures.len()), (Verdict::Passed, 0));
        // Only skipped: nothing was checked.
        let (nothing, _) = verdict(Some(scenario(&["SKIPPED"])), &expected);
        assert_eq!(nothing, Verdict::Unlisted);
        let (passed, tally) = verdict(Some(scenario(&["SUCCESS"])), &expected);
        assert_eq!((passed, tally.failures.len()), (Verdict::Passed, 1));
        expected.skips[0].check = "D".to_owned();
        let (failed, tally) = verdict(Some(scenario(&["SUCCESS", "SKIPPED"])), &expected);
        assert_eq!((failed, tally.failures.len()), (Verdict::Unlisted, 2));
        assert_eq!(strangers(&expected, &[]), ["r one"]);
    }

    #[test]
    fn a_listed_scenario_that_passes_fails() {
        let (verdict, tally) = verdict(Some(scenario(&["SUCCESS"])), &list(&["one"]));
        assert_eq!((verdict, tally.failures.len()), (Verdict::Stale, 1));
    }

    #[test]
    fn a_scenario_without_a_result_fails_listed_or_not() {
        for expected in [list(&[]), list(&["one"])] {
            let (verdict, tally) = verdict(None, &expected);
            assert_eq!((verdict, tally.failures.len()), (Verdict::Missing, 1));
        }
    }

    #[test]
    fn fewer_scenarios_than_there_should_be_fail() {
        let mut tally = Tally::default();
        let report = Report {
            listed: vec![listed("one")],
            scenarios: vec![scenario(&["SUCCESS"])],
        };
        judge(&Run { at_least: 2, ..RUN }, report, &list(&[]), &mut tally);
        assert_eq!(tally.failures, ["r: 1 scenarios ran, of at least 2"]);
    }

    #[test]
    fn an_entry_for_no_scenario_is_found() {
        assert_eq!(strangers(&list(&["gone"]), &[]), ["r gone"]);
    }
}
