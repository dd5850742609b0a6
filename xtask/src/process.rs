//! Running other programs: a line to repeat what failed, an end for what hangs, and nothing left behind.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;

/// One program to run, and how to repeat it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    folder: Option<PathBuf>,
}

impl Step {
    pub(crate) fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            folder: None,
        }
    }

    /// A command of the cargo that runs us.
    pub(crate) fn cargo(arguments: &[&str]) -> Self {
        Self::new(crate::workspace::cargo()).args(arguments)
    }

    pub(crate) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(OsString::from));
        self
    }

    /// Adds the program and the arguments of another step, and runs where and with what that does: what is started is to start it.
    pub(crate) fn words_of(mut self, other: &Self) -> Self {
        self.arguments.push(other.program.clone().into());
        self.arguments.extend(other.arguments.iter().cloned());
        self.environment.extend(other.environment.iter().cloned());
        self.folder.clone_from(&other.folder);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// The line that does the same in a shell.
    pub(crate) fn line(&self) -> String {
        let mut line = String::new();
        for (name, value) in &self.environment {
            let _infallible = write!(line, "{name}={} ", quoted(&value.to_string_lossy()));
        }
        let program = self.program.file_name().map_or_else(
            || self.program.display().to_string(),
            |name| {
                if name == "cargo" {
                    "cargo".to_owned()
                } else {
                    self.program.display().to_string()
                }
            },
        );
        line.push_str(&program);
        for argument in &self.arguments {
            line.push(' ');
            line.push_str(&quoted(&argument.to_string_lossy()));
        }
        match &self.folder {
            Some(folder) => format!("(cd {} && {line})", quoted(&folder.display().to_string())),
            None => line,
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null());
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    /// Runs it in front of the person, and fails with the line to repeat.
    pub(crate) fn run(&self) -> Outcome {
        let status = self
            .command()
            .status()
            .map_err(|error| self.not_started(&error))?;
        if status.success() {
            Ok(())
        } else {
            Err(self.failed(status))
        }
    }

    /// Runs it, shows every line and hands each to `see`, and ends it after `limit`.
    pub(crate) fn run_seen(
        &self,
        limit: Duration,
        mut see: impl FnMut(&str),
    ) -> Outcome<ExitStatus> {
        self.heard(limit, |line| {
            println!("{line}");
            see(line);
        })?
        .ok_or_else(|| self.stopped(limit))
    }

    /// Runs it without showing anything and returns whether it succeeded within `limit`, and all that it wrote.
    pub(crate) fn run_heard(&self, limit: Duration) -> Outcome<(bool, String)> {
        let mut text = String::new();
        let status = self.heard(limit, |line| {
            text.push_str(line);
            text.push('\n');
        })?;
        if status.is_none() {
            text.push_str(&self.stopped(limit));
        }
        Ok((status.is_some_and(|status| status.success()), text))
    }

    /// Runs it and hands each line to `hear`; none when it had to be ended after `limit`.
    fn heard(&self, limit: Duration, mut hear: impl FnMut(&str)) -> Outcome<Option<ExitStatus>> {
        let mut child = self.piped()?;
        let (lines, seen) = mpsc::channel();
        forward(child.stdout.take(), lines.clone());
        forward(child.stderr.take(), lines);
        let until = Instant::now() + limit;
        loop {
            match seen.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => hear(&line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => return Ok(None),
            }
        }
        child
            .0
            .wait()
            .map(Some)
            .map_err(|error| format!("{}: {error}", self.line()))
    }

    /// Runs it without showing anything and returns whether it succeeded, and all that it wrote.
    pub(crate) fn output(&self) -> Outcome<(bool, String)> {
        let output = self
            .command()
            .output()
            .map_err(|error| self.not_started(&error))?;
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        Ok((output.status.success(), text))
    }

    /// Starts it and waits for the first line of its standard output that `wanted` turns into something.
    pub(crate) fn start<T>(
        &self,
        limit: Duration,
        mut wanted: impl FnMut(&str) -> Option<T>,
    ) -> Outcome<(Running, T)> {
        let mut child = self.piped()?;
        let (lines, seen) = mpsc::channel();
        forward(child.stdout.take(), lines.clone());
        forward(child.stderr.take(), lines);
        let until = Instant::now() + limit;
        let mut before = String::new();
        while let Ok(line) = seen.recv_timeout(until.saturating_duration_since(Instant::now())) {
            if let Some(found) = wanted(&line) {
                return Ok((child, found));
            }
            before.push_str(&line);
            before.push('\n');
        }
        Err(format!("did not come up: {}\n{before}", self.line()))
    }

    fn piped(&self) -> Outcome<Running> {
        let child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| self.not_started(&error))?;
        Ok(Running(child))
    }

    fn failed(&self, status: ExitStatus) -> String {
        format!("{status}; repeat it with\n\n    {}\n", self.line())
    }

    fn stopped(&self, limit: Duration) -> String {
        format!("stopped after {} s: {}", limit.as_secs(), self.line())
    }

    fn not_started(&self, error: &std::io::Error) -> String {
        format!("{} cannot be started: {error}", self.program.display())
    }
}

/// A program that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl std::ops::Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl std::ops::DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) && self.0.kill().is_ok() {
            let _gone = self.0.wait();
        }
    }
}

/// Hands the lines of a pipe to a channel, on a thread of its own, until the pipe ends.
fn forward(pipe: Option<impl Read + Send + 'static>, lines: mpsc::Sender<String>) {
    let Some(pipe) = pipe else { return };
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { return };
            // Whoever listened may have heard enough; the pipe is still emptied, so that the program can go on.
            let _heard = lines.send(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
    });
}

/// Quotes for a shell what needs it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_can_be_pasted() {
        let step = Step::new("cargo")
            .args(&["doc", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(
            step.line(),
            "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps"
        );
        let step = Step::new("node").arg("it's").folder(Path::new("a b"));
        assert_eq!(step.line(), r"(cd 'a b' && node 'it'\''s')");
    }

    #[test]
    fn one_step_can_start_another() {
        let other = Step::new("node").arg("server.mjs").folder(Path::new("a"));
        let other = other.env("PORT", "0");
        let step = Step::new("client").words_of(&other).arg("--stdio");
        assert_eq!(
            step.line(),
            "(cd a && PORT=0 client node server.mjs --stdio)"
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let why = Step::new("no-such-program-here").run().unwrap_err();
        assert!(why.contains("no-such-program-here"), "{why}");
    }

    #[test]
    fn a_failure_tells_how_to_repeat_it() {
        let why = Step::cargo(&["no-such-command"]).run().unwrap_err();
        assert!(why.contains("    cargo no-such-command\n"), "{why}");
    }

    #[test]
    fn the_lines_of_a_program_are_seen() {
        let mut seen = Vec::new();
        let status = Step::cargo(&["--version"])
            .run_seen(Duration::from_secs(60), |line| seen.push(line.to_owned()))
            .unwrap();
        assert!(status.success());
        assert!(
            seen.iter().any(|line| line.starts_with("cargo ")),
            "{seen:?}"
        );
    }

    #[test]
    fn what_a_program_writes_is_kept_with_how_it_ended() {
        let (good, text) = Step::cargo(&["--version"])
            .run_heard(Duration::from_secs(60))
            .unwrap();
        assert!(good && text.starts_with("cargo "), "{text}");
        let (good, text) = Step::cargo(&["no-such-command"])
            .run_heard(Duration::from_secs(60))
            .unwrap();
        assert!(!good && text.contains("no-such-command"), "{text}");
    }

    #[test]
    fn a_program_that_never_says_it_is_ready_is_an_error_with_what_it_said() {
        let why = Step::cargo(&["--version"])
            .start(Duration::from_secs(60), |line| {
                line.strip_prefix("ready ").map(str::to_owned)
            })
            .unwrap_err();
        assert!(
            why.contains("did not come up") && why.contains("cargo 1"),
            "{why}"
        );
    }
}
