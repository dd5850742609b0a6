//! The command of a server, and what it gets of our environment.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use tokio::process::{Child, ChildStderr, Command};

/// What a server inherits of the environment, where it is there: enough to find programs, files and a terminal type, and
/// nothing that is a secret by custom.
#[cfg(not(windows))]
const INHERITED: [&str; 8] = [
    "HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "USER",
];

/// What a server inherits of the environment, where it is there.
#[cfg(windows)]
const INHERITED: [&str; 14] = [
    "APPDATA",
    "COMSPEC",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "PATH",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "PROGRAMFILES",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "USERNAME",
    "USERPROFILE",
];

/// Takes the standard error of a server that was started.
type TakeErrors = Arc<dyn Fn(ChildStderr) + Send + Sync>;

/// How a server is started: a program, its arguments, its environment.
///
/// The server inherits `HOME`, `LANG`, `LOGNAME`, `PATH`, `SHELL`, `TERM`, `TMPDIR` and `USER` (their like on Windows),
/// and nothing else that was not named: what is in our environment may be secret, and none of its business.
/// Its credentials come by [`env`](Self::env).
///
/// Specification: MCP transports, "stdio"; MCP-STDIO-06.
#[derive(Clone)]
pub struct ServerCommand {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    take_errors: Option<TakeErrors>,
}

impl ServerCommand {
    /// A program without arguments, found as the system finds programs; no shell is involved.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
            take_errors: None,
        }
    }

    /// The same with one more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// The same with more arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// The same with a variable in the environment of the server.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The same in this directory.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// The same with somebody who gets the standard error of each process that is started; otherwise it is ours.
    ///
    /// Whoever gets it reads it, or drops it; a server that writes much waits while nobody reads. What is in it means
    /// nothing to the client, least of all a failure.
    #[must_use]
    pub fn stderr(mut self, take: impl Fn(ChildStderr) + Send + Sync + 'static) -> Self {
        self.take_errors = Some(Arc::new(take));
        self
    }

    pub(super) fn program(&self) -> &OsString {
        &self.program
    }

    pub(super) fn start(&self) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear();
        let ours = INHERITED.iter();
        command.envs(ours.filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        let errors = if self.take_errors.is_some() {
            Stdio::piped()
        } else {
            Stdio::inherit()
        };
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        if let (Some(take), Some(errors)) = (&self.take_errors, child.stderr.take()) {
            take(errors);
        }
        Ok(child)
    }
}

impl fmt::Debug for ServerCommand {
    /// Names of variables, and neither their values nor the arguments: both may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.environment.iter().map(|(name, _)| name).collect();
        f.debug_struct("ServerCommand")
            .field("program", &self.program)
            .field("environment", &names)
            .finish_non_exhaustive()
    }
}
