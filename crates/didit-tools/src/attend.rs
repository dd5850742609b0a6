//! Somebody who is told of each call over MCP: for an audit log, for numbers, and to ask for a sign-in.

use bytes::Bytes;
use http::{Extensions, Response};
use serde_json::{Map, Value};

use crate::catalog::Tool;
use crate::outcome::Failure;

/// Is told of each call of a tool over MCP; must not wait.
pub trait Attendant: Send + Sync + 'static {
    /// A call begins. What is returned is told how it ended, or dropped if it is cancelled.
    fn begins(&self, call: &Begun<'_>) -> Box<dyn Watch>;
}

/// Waits for the end of one call.
pub trait Watch: Send {
    /// The call has ended: `None` if there is no tool of this name.
    ///
    /// A response is what the HTTP request is answered with in place of the result: the challenge for a caller whose
    /// credential is [refused](Failure::is_signed_out). Over standard input and output it becomes an error.
    fn ended(self: Box<Self>, outcome: Option<Result<(), &Failure>>) -> Option<Response<Bytes>>;
}

/// A call that begins.
///
/// The names of tools and arguments that it shows are ours. What the caller made up has no name here, because a name may
/// be a secret as well as a value may.
#[derive(Debug)]
pub struct Begun<'a> {
    extensions: &'a Extensions,
    tool: Option<&'static Tool>,
    arguments: &'a Map<String, Value>,
    check: PermissionCheck,
}

/// What became of the question whether the permissions of the token allow a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermissionCheck {
    /// There was nothing to compare, or it is not done.
    None,
    /// They do.
    Passed,
    /// They do not, and the call goes on all the same.
    Shadow,
    /// They do not, and the call is refused.
    Refused,
}

impl<'a> Begun<'a> {
    pub(crate) fn new(
        extensions: &'a Extensions,
        tool: Option<&'static Tool>,
        arguments: &'a Map<String, Value>,
        check: PermissionCheck,
    ) -> Self {
        Self {
            extensions,
            tool,
            arguments,
            check,
        }
    }

    /// What the layer that checked the caller's token has left.
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    /// The tool by its name of today, if there is one of the name that was called.
    pub fn tool(&self) -> Option<&'static str> {
        self.tool.map(|tool| tool.name)
    }

    /// The arguments as they came, with everything personal that is in them.
    pub fn arguments(&self) -> &'a Map<String, Value> {
        self.arguments
    }

    /// The names of the arguments that the tool knows, in order.
    pub fn argument_names(&self) -> Vec<&'static str> {
        let given = self.arguments.keys();
        given
            .filter_map(|name| Some(self.tool?.argument(name)?.name))
            .collect()
    }

    /// Whether what has to be confirmed was, for a tool that asks for it.
    pub fn confirmed(&self) -> Option<bool> {
        let confirm = self.tool?.confirm?;
        Some(self.arguments.get(confirm.argument) == Some(&Value::Bool(true)))
    }

    /// What Didit asks of the person's role for it.
    pub fn permission(&self) -> Option<&'static str> {
        self.tool?.permission
    }

    /// Whether the permissions of the token allow it.
    pub fn permission_check(&self) -> PermissionCheck {
        self.check
    }
}
