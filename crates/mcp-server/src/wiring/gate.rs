//! Which scopes an MCP operation needs.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, Response};
use mcp_protocol::serve::{Gate, Operation};
use oauth_rs::scope::InvalidScope;
use resource_guard::{Guard, Principal, Requirement};

use super::SCOPES;

/// Asks, for each call of a tool, for one of the scopes that the tool's rows name.
///
/// Everything else (discovery, lists, ping) needs a valid token and no particular scope: the list
/// of tools is no secret, and a client has to see it to know what to ask for. A tool that is not in
/// the catalog is left to the handler, which has the same catalog and refuses it.
///
/// # Errors
/// A tool of the catalog names no scope, or one that cannot be written.
pub(super) fn per_tool(guard: &Arc<Guard>) -> Result<Gate, InvalidScope> {
    let needs: HashMap<&'static str, Requirement> = didit_tools::names()
        .map(|tool| {
            // A row without scopes is refused here, and does not become a tool for everybody.
            let scopes = didit_tools::oauth_scopes(tool).unwrap_or_default();
            Ok((tool, Requirement::any_of(scopes)?))
        })
        .collect::<Result<_, InvalidScope>>()?;
    let every = Requirement::all_of(SCOPES.iter().map(|scope| scope.name))?;
    let guard = Arc::clone(guard);
    let gate = move |caller: &Extensions, operation: &Operation| {
        let needed = match (operation.method.as_str(), operation.name.as_deref()) {
            ("tools/call", Some(tool)) => {
                if let Some(who) = caller.get::<Principal>() {
                    tracing::info!(
                        tool,
                        person = who.subject,
                        client = who.client_id,
                        "tool call"
                    );
                }
                needs.get(tool)
            }
            // It cannot be read which tool is meant, so it may be any.
            ("tools/call", None) => Some(&every),
            _ => None,
        };
        match (needed, caller.get::<Principal>()) {
            (None, _) => Ok(()),
            (Some(needed), Some(principal)) => guard
                .require(principal, needed)
                .map_err(|refused| Box::new(guard.response(&refused))),
            // The guard stands in front and inserts a principal; without one nothing is called.
            (Some(_), None) => Err(Box::new(forbidden())),
        }
    };
    Ok(Arc::new(gate))
}

fn forbidden() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = http::StatusCode::FORBIDDEN;
    response
}
