//! Which scopes an MCP operation needs.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, Response};
use mcp_protocol::serve::{Gate, Operation};
use oauth_rs::scope::InvalidScope;
use resource_guard::{Guard, Principal, Requirement};

/// Asks, for each call of a tool, for one of the scopes that the tool's rows name.
///
/// Everything else (discovery, lists, ping) needs a valid token and no particular scope: the list
/// of tools is no secret, and a client has to see it to know what to ask for.
pub(super) fn per_tool(guard: &Arc<Guard>) -> Result<Gate, InvalidScope> {
    let needs: HashMap<&'static str, Requirement> = didit_tools::names()
        .filter_map(|tool| Some((tool, didit_tools::oauth_scopes(tool)?)))
        .map(|(tool, scopes)| Ok((tool, Requirement::any_of(scopes)?)))
        .collect::<Result<_, InvalidScope>>()?;
    let guard = Arc::clone(guard);
    #[expect(
        clippy::result_large_err,
        reason = "the gate's signature is mcp-protocol's"
    )]
    let gate = move |caller: &Extensions, operation: &Operation| {
        let needed = match (operation.method.as_str(), operation.name.as_deref()) {
            ("tools/call", Some(tool)) => needs.get(tool),
            _ => None,
        };
        match (needed, caller.get::<Principal>()) {
            (None, _) => Ok(()),
            (Some(needed), Some(principal)) => guard
                .require(principal, needed)
                .map_err(|refused| guard.response(&refused)),
            // The guard stands in front and inserts a principal; without one nothing is called.
            (Some(_), None) => Err(forbidden()),
        }
    };
    Ok(Arc::new(gate))
}

fn forbidden() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = http::StatusCode::FORBIDDEN;
    response
}
