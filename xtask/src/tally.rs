//! What passed, what failed, and what was not run and so counts as neither.

use crate::Outcome;

/// The count of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failures: Vec<String>,
    pub(crate) not_run: Vec<NotRun>,
}

/// Something that could not be run here, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotRun {
    pub(crate) what: String,
    pub(crate) reason: String,
}

impl Tally {
    pub(crate) fn pass(&mut self, count: usize) {
        self.passed += count;
    }

    pub(crate) fn fail(&mut self, what: impl Into<String>) {
        self.failures.push(what.into());
    }

    pub(crate) fn not_run(&mut self, what: impl Into<String>, reason: impl Into<String>) {
        self.not_run.push(NotRun {
            what: what.into(),
            reason: reason.into(),
        });
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failures.extend(other.failures);
        self.not_run.extend(other.not_run);
    }

    /// The closing lines: the failures, what was not run, and the count alone on the last line.
    pub(crate) fn closing(&self) -> String {
        let mut text = String::from("\n");
        for what in &self.failures {
            text.push_str(&format!("failed: {what}\n"));
        }
        for NotRun { what, reason } in &self.not_run {
            text.push_str(&format!("not run: {what} ({reason})\n"));
        }
        text.push_str(&format!(
            "{} passed, {} failed",
            self.passed,
            self.failures.len()
        ));
        if !self.not_run.is_empty() {
            text.push_str(&format!(", {} skipped", self.not_run.len()));
        }
        text.push('\n');
        text
    }

    /// Whether the run as a whole is good: `strict` is for CI, where everything has to run.
    pub(crate) fn judge(&self, strict: bool) -> Outcome {
        if !self.failures.is_empty() {
            return Err(format!("{} failed", self.failures.len()));
        }
        if self.passed == 0 {
            return Err("nothing was run".to_owned());
        }
        if strict && !self.not_run.is_empty() {
            return Err(format!(
                "{} not run, which in CI is a failure",
                self.not_run.len()
            ));
        }
        Ok(())
    }

    /// Prints the closing lines and judges, strictly in CI.
    pub(crate) fn close(&self) -> Outcome {
        print!("{}", self.closing());
        self.judge(in_ci())
    }
}

/// Whether this is CI, by the convention that all CI systems share.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_count_alone() {
        let mut tally = Tally::default();
        tally.pass(3);
        assert_eq!(tally.closing().lines().last(), Some("3 passed, 0 failed"));
        tally.not_run("browser story", "no Chromium");
        assert_eq!(
            tally.closing().lines().last(),
            Some("3 passed, 0 failed, 1 skipped")
        );
        assert!(
            tally
                .closing()
                .contains("not run: browser story (no Chromium)\n")
        );
    }

    #[test]
    fn what_was_not_run_is_a_failure_in_ci_only() {
        let mut tally = Tally::default();
        tally.pass(1);
        tally.not_run("browser story", "no Chromium");
        assert_eq!(tally.judge(false), Ok(()));
        assert!(tally.judge(true).is_err());
    }

    #[test]
    fn nothing_run_is_not_a_success() {
        assert!(Tally::default().judge(false).is_err());
    }

    #[test]
    fn a_failure_is_a_failure() {
        let mut tally = Tally::default();
        tally.pass(10);
        tally.fail("one");
        assert!(tally.judge(false).is_err());
        assert_eq!(tally.closing(), "\nfailed: one\n10 passed, 1 failed\n");
    }
}
