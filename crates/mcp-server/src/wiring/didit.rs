//! The tools, acting in the sandbox as the person who is signed in.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use didit_client::send::Sender;
use didit_client::{Api, Retries, Secret};
use didit_sandbox::Sandbox;
use didit_tools::{Credentials, DiditTools, Grants, NoCredential, Transport};
use http::Extensions;
use oauth_rs::entropy::Entropy;
use oauth_rs::time::Clock;
use resource_guard::Principal;

use super::{Addresses, gate};
use crate::audit::Audit;

/// The tools over this HTTP client.
pub(super) fn tools<D: Transport>(
    at: &Addresses,
    client: D,
    sandbox: &Sandbox,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<DiditTools<D, ActingAs>, Box<dyn Error>> {
    let api = Api::at(
        &format!("{}/auth/v2", at.sandbox_url),
        &format!("{}/v3", at.sandbox_url),
    )?;
    let clock = Arc::clone(clock);
    let audit = Audit {
        transport: "http",
        organization: None,
        metrics: Arc::default(),
        challenge: None,
    };
    let acting = ActingAs::everybody_in(sandbox);
    let sender = Sender::new(api, client).with_retries(retries(entropy));
    let tools = DiditTools::new(sender, acting, move || clock.now().0);
    Ok(tools.attended(Arc::new(audit)))
}

/// The rules by which a call to Didit is sent again, with waits that nobody can foresee.
pub(super) fn retries(entropy: &Arc<dyn Entropy>) -> Retries {
    let entropy = Arc::clone(entropy);
    Retries::new(move || {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes);
        u64::from_ne_bytes(bytes)
    })
}

/// The sandbox credential of each person, found by the subject of the access token.
///
/// The MCP token itself goes no further than the guard.
pub(crate) struct ActingAs(HashMap<String, Secret>);

impl ActingAs {
    fn everybody_in(sandbox: &Sandbox) -> Self {
        let known = sandbox.people().into_iter().filter_map(|person| {
            let credential = sandbox.credential(&person.id)?;
            Some((person.id, Secret::new(credential)))
        });
        Self(known.collect())
    }
}

impl Credentials for ActingAs {
    async fn credential(&self, caller: &Extensions) -> Result<Secret, NoCredential> {
        let principal = caller.get::<Principal>().ok_or(NoCredential::Unknown)?;
        let person = principal.subject.named();
        person
            .and_then(|person| self.0.get(person))
            .cloned()
            .ok_or(NoCredential::Unknown)
    }

    fn grants(&self, caller: &Extensions) -> Grants {
        gate::grants(caller)
    }

    fn person(&self, caller: &Extensions) -> Option<String> {
        let principal = caller.get::<Principal>()?;
        principal.subject.named().map(str::to_owned)
    }
}
