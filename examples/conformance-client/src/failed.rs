//! Every reason for which a scenario's job is not done.

use std::error::Error;

use mcp_protocol::client::ClientError;
use thiserror::Error;

/// Why the job is not done.
#[derive(Debug, Error)]
pub(crate) enum Failed {
    #[error("usage: conformance-client URL")]
    Usage,
    #[error("the address {0:?} cannot be used")]
    Address(String),
    #[error("the environment variable {0} is missing")]
    Unset(&'static str),
    #[error("the environment variable {name} cannot be used: {why}")]
    Environment { name: &'static str, why: String },
    #[error("no scenario {0:?} is known here")]
    NoSuchScenario(String),
    #[error("there is no randomness to make a key of")]
    Key,
    #[error("the server has no tool {0:?}")]
    NoSuchTool(&'static str),
    #[error("the tool {0:?} says that it failed")]
    Tool(String),
    #[error("{0}")]
    Case(String),
    #[error("the arguments cannot be written: {0}")]
    Arguments(#[from] serde_json::Error),
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Failed {
    /// The reason with everything behind it.
    pub(crate) fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(current) = cause {
            text.push_str(": ");
            text.push_str(&current.to_string());
            cause = current.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_cause_is_said_too() {
        let lost = ClientError::Transport("no route".into());
        let said = Failed::Client(lost).with_causes();
        assert_eq!(said, "the server could not be reached: no route");
        assert_eq!(Failed::Usage.with_causes(), "usage: conformance-client URL");
    }
}
