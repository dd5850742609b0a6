//! One measured server: on a core of its own, with what the kernel knows about it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Outcome;
use crate::process::{Running, Step};
use crate::workspace::{Workspace, read};

/// The core of the servers; the load runs on the other one.
const CORE: &str = "0";
const OTHER_CORE: &str = "1";

/// How long a server may take to come up.
const LIMIT: Duration = Duration::from_secs(60);

/// Bytes in a page of memory on x86-64 Linux.
const PAGE: u64 = 4096;

/// A program that serves, and how its port is found in what it prints.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    step: Step,
    port: fn(&str) -> Option<u16>,
}

impl Program {
    /// `bench-server`.
    pub(crate) fn bench(workspace: &Workspace, arguments: &[&str]) -> Self {
        Self::of(workspace, "bench-server", arguments)
    }

    /// One that prints its port and nothing else.
    pub(crate) fn of(workspace: &Workspace, name: &str, arguments: &[&str]) -> Self {
        Self {
            step: Step::new(workspace.released(name)).args(arguments),
            port: |line| line.parse().ok(),
        }
    }

    /// One that says its port in its own way.
    pub(crate) fn saying(step: Step, port: fn(&str) -> Option<u16>) -> Self {
        Self { step, port }
    }

    /// Starts it on the core of the servers.
    pub(crate) fn start(&self) -> Outcome<Server> {
        self.up(&on(CORE).words_of(&self.step))
    }

    /// Starts it beside the load, so that it takes nothing from the servers.
    pub(crate) fn start_aside(&self) -> Outcome<Server> {
        self.up(&on(OTHER_CORE).words_of(&self.step))
    }

    /// The instructions outside of the kernel, while `load` runs against it.
    pub(crate) fn instructions(
        &self,
        workspace: &Workspace,
        load: impl FnOnce(u16) -> Outcome,
    ) -> Outcome<u64> {
        let log = log(workspace)?;
        let server = self.up(&counting(&log).words_of(&self.step))?;
        load(server.port)?;
        server.end()?;
        count_in(&read(&log)?)
    }

    fn up(&self, step: &Step) -> Outcome<Server> {
        let (process, port) = step.start(LIMIT, self.port)?;
        Ok(Server { process, port })
    }
}

/// The command that runs what follows on one core.
fn on(core: &str) -> Step {
    Step::new("taskset").args(&["-c", core])
}

/// A server that runs until this is dropped.
pub(crate) struct Server {
    process: Running,
    pub(crate) port: u16,
}

impl Server {
    /// How long its threads were on the processor, in nanoseconds.
    pub(crate) fn cpu(&self) -> Outcome<u64> {
        let threads = self.folder().join("task");
        let gone = |error: std::io::Error| format!("{}: {error}", threads.display());
        let mut spent = 0;
        for thread in std::fs::read_dir(&threads).map_err(gone)? {
            let schedule = read(&thread.map_err(gone)?.path().join("schedstat"))?;
            let time = field(&schedule, 0).ok_or_else(|| format!("no time in {schedule:?}"))?;
            spent += time;
        }
        Ok(spent)
    }

    /// How much memory it has, in bytes.
    pub(crate) fn memory(&self) -> Outcome<u64> {
        let sizes = read(&self.folder().join("statm"))?;
        field(&sizes, 1)
            .map(|pages| pages * PAGE)
            .ok_or_else(|| format!("no size in {sizes:?}"))
    }

    /// What the kernel tells about it.
    fn folder(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.process.id()))
    }

    /// Asks it to end, and waits until it has.
    fn end(mut self) -> Outcome {
        Step::new("kill").arg(self.process.id().to_string()).run()?;
        self.process
            .wait()
            .map(drop)
            .map_err(|error| format!("the server does not end: {error}"))
    }
}

/// Where valgrind writes to.
pub(super) fn log(workspace: &Workspace) -> Outcome<PathBuf> {
    let log = workspace.scratch("bench").join("callgrind.log");
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    Ok(log)
}

/// The command that counts the instructions of the program named after it.
pub(super) fn counting(log: &Path) -> Step {
    let mut to = std::ffi::OsString::from("--log-file=");
    to.push(log);
    Step::new("valgrind")
        .args(&["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(to)
}

/// The count in what valgrind wrote.
pub(super) fn count_in(log: &str) -> Outcome<u64> {
    collected(log).ok_or_else(|| format!("no count in what valgrind says:\n{log}"))
}

/// Whether instructions can be counted here.
pub(crate) fn can_count() -> bool {
    Step::new("valgrind")
        .arg("--version")
        .output()
        .is_ok_and(|(good, _)| good)
}

/// Puts this process on the core that the servers do not use.
pub(crate) fn step_aside() -> Outcome {
    let (good, said) = Step::new("taskset")
        .args(&["-cp", OTHER_CORE])
        .arg(std::process::id().to_string())
        .output()?;
    if good {
        Ok(())
    } else {
        Err(format!("taskset: {said}"))
    }
}

fn field(text: &str, number: usize) -> Option<u64> {
    text.split_whitespace().nth(number)?.parse().ok()
}

/// The number in a line such as `==42== Collected : 123456`.
fn collected(log: &str) -> Option<u64> {
    log.lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found() {
        let log = "==7== Events    : Ir\n==7== Collected : 1234\n==7==";
        assert_eq!(collected(log), Some(1234));
        assert_eq!(collected("==7== nothing"), None);
    }

    #[test]
    fn fields_are_counted_from_none() {
        assert_eq!(field("12 34 56\n", 1), Some(34));
        assert_eq!(field("12", 1), None);
    }
}
