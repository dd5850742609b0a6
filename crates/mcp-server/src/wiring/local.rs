//! `stdio`: the tools for the one person at this machine, who may sign in by a tool.

#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use didit_client::Secret;
use didit_client::operation::Base;
use didit_client::send::Sender;
use didit_tools::{Credentials, DiditTools, NoCredential, Transport};
use http::Extensions;
use mcp_protocol::serve::Options;
use oauth_rs::entropy::Entropy;

use super::didit::retries;
use crate::audit::Audit;
use crate::config::Stdio;
use crate::measured::Measured;
use crate::metrics::Metrics;

/// The tools over this HTTP client.
///
/// # Errors
/// The default place is none.
pub(crate) fn tools<D: Transport>(
    config: Stdio,
    client: D,
    clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    entropy: &Arc<dyn Entropy>,
) -> Result<DiditTools<Measured<D>, Held>, Box<dyn Error>> {
    let metrics = Arc::new(Metrics::default());
    let held = Held::new(config.access_token.map(|token| Secret::new(token.expose())));
    let tools = config.tools;
    let audit = Audit {
        transport: "stdio",
        organization: tools.organization.clone(),
        metrics: Arc::clone(&metrics),
        // There is no HTTP response to put a challenge into.
        challenge: None,
    };
    let client = Measured::of_didit(client, &metrics, tools.api.base(Base::Auth));
    let sender = Sender::new(tools.api, client).with_retries(retries(entropy));
    let tools_of = DiditTools::new(sender, held, move || clock());
    let tools = tools_of
        .at_home_in(tools.organization.as_deref(), tools.application.as_deref())?
        .over_stdio()
        .looking_every(tools.webhook_poll)
        .attended(Arc::new(audit));
    Ok(tools)
}

/// The longest line: as the longest body over HTTP is by default.
const MAX_LINE_BYTES: usize = 25 * 1024 * 1024;

/// How the pipe behaves.
pub(crate) fn options() -> Options {
    Options {
        max_body_bytes: MAX_LINE_BYTES,
        ..Options::default()
    }
}

/// The credential of the one person: from the environment, or from the last sign-in by a tool.
///
/// It is in memory only, and is gone with the process.
pub(crate) struct Held(Mutex<Option<Secret>>);

impl Held {
    fn new(token: Option<Secret>) -> Self {
        Self(Mutex::new(token))
    }
}

impl Credentials for Held {
    async fn credential(&self, _: &Extensions) -> Result<Secret, NoCredential> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone().ok_or(NoCredential::SignedOut)
    }

    fn person(&self, _: &Extensions) -> Option<String> {
        // Another sign-in may be another person; what was reached before is not kept beyond it.
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let token = held.as_ref()?;
        let hash = oauth_rs::hash::sha256(token.expose().as_bytes());
        Some(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn keep(&self, _: &Extensions, credential: Secret) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(credential);
    }
}
