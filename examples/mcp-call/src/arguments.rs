//! What is asked for on the command line.

use std::ffi::OsString;

use serde_json::value::RawValue;

pub(crate) const USAGE: &str = "usage: mcp-call [--call TOOL JSON] -- COMMAND ARGS…";

/// What to start, and what to call.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) call: Option<Call>,
    pub(crate) program: OsString,
    pub(crate) rest: Vec<OsString>,
}

/// A tool, and its arguments as they stand.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) tool: String,
    pub(crate) arguments: Box<RawValue>,
}

impl Arguments {
    /// Reads them, without the name of this program.
    pub(crate) fn read(mut given: impl Iterator<Item = OsString>) -> Result<Self, &'static str> {
        let mut text = |what| {
            let next: Option<OsString> = given.next();
            next.and_then(|next| next.into_string().ok()).ok_or(what)
        };
        let mut call = None;
        loop {
            match text("COMMAND comes after --")?.as_str() {
                "--" => break,
                "--call" if call.is_none() => {
                    let tool = text("--call: TOOL is missing")?;
                    let arguments = serde_json::from_str(&text("--call: JSON is missing")?)
                        .map_err(|_| "--call: JSON is not JSON")?;
                    call = Some(Call { tool, arguments });
                }
                "--call" => return Err("--call: one call at a time"),
                _ => return Err("only --call may stand before --"),
            }
        }
        Ok(Arguments {
            call,
            program: given.next().ok_or("COMMAND is missing")?,
            rest: given.collect(),
        })
    }
}
