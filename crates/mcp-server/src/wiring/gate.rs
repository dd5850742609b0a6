//! Which scopes an MCP operation needs.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use didit_tools::Grants;
use http::{Extensions, Response};
use mcp_protocol::serve::{Gate, Operation};
use oauth_rs::scope::InvalidScope;
use resource_guard::{Guard, Hierarchy, Operations, Principal, Reason, Requirement, Role};

use super::SCOPES;

/// The method that calls a tool; in the table, the call of a tool that cannot be told.
const CALL: &str = "tools/call";

/// What the guard asks for: each tool by each of its names, one of the scopes that its rows name, or the one for it alone.
///
/// A client is told to ask for the coarse scope, which every issuer of Didit's has.
///
/// A tool that names none is not for callers of an endpoint, such as those that open an account: the handler does not
/// offer it there. Were it offered all the same, it would ask for every scope, and not be a tool for everybody.
///
/// # Errors
/// A tool of the catalog names a scope that cannot be written.
pub(super) fn operations() -> Result<Operations, Box<dyn Error>> {
    let every = Requirement::all_of(SCOPES.iter().map(|scope| scope.name))?;
    let first_names = didit_tools::classic_names().map(|(first, _)| first);
    let tools = didit_tools::names().chain(first_names).map(|tool| {
        let needed = match (
            didit_tools::oauth_scopes(tool),
            didit_tools::fine_scope(tool),
        ) {
            (Some(scopes), Some(fine)) if !scopes.is_empty() => {
                Requirement::any_of(scopes)?.or(Requirement::any_of([fine])?)
            }
            _ => every.clone(),
        };
        Ok((tool, needed))
    });
    let mut rows = tools.collect::<Result<Vec<_>, InvalidScope>>()?;
    // It cannot be read which tool is meant, so it may be any.
    rows.push((CALL, every.clone()));
    Ok(Operations::new(rows)?)
}

/// Which fine scopes the coarse ones cover.
///
/// # Errors
/// A tool of the catalog names a scope that cannot be written, or a coarse scope covers more than a set may have.
pub(super) fn hierarchy() -> Result<Hierarchy, InvalidScope> {
    let rows = SCOPES.map(|scope| {
        let covered = didit_tools::scopes().filter(|(coarse, _)| *coarse == scope.name);
        (
            scope.name,
            covered.map(|(_, fine)| fine).collect::<Vec<_>>(),
        )
    });
    Hierarchy::new(rows.iter().map(|(coarse, fine)| (*coarse, fine.as_slice())))
}

/// Asks, for each call of a tool, for what the guard's table says of it.
///
/// Everything else (discovery, lists, ping) needs a valid token and no particular scope; the list is of what the scopes
/// open. A tool that is not in the table is left to the handler, which has the same catalog and refuses it.
pub(super) fn per_tool(guard: &Arc<Guard>) -> Gate {
    let guard = Arc::clone(guard);
    Arc::new(move |caller: &Extensions, operation: &Operation| {
        if operation.method != CALL {
            return Ok(());
        }
        // The guard stands in front and inserts a principal; without one nothing is called.
        let Some(principal) = caller.get::<Principal>() else {
            return Err(Box::new(forbidden()));
        };
        let tool = operation.name.as_deref();
        match guard.permit(principal, tool.unwrap_or(CALL), Role::Unlimited) {
            Ok(()) => Ok(()),
            Err(refused) if matches!(refused.reason(), Reason::UnknownOperation { .. }) => Ok(()),
            Err(refused) => Err(Box::new(guard.response(&refused))),
        }
    })
}

fn forbidden() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = http::StatusCode::FORBIDDEN;
    response
}

/// What the token of a caller allows, for the list of tools and for the calls.
pub(super) fn grants(caller: &Extensions) -> Grants {
    match caller.get::<Principal>() {
        Some(who) => Grants::of(who.scopes.iter()),
        // Who is nobody has nothing.
        None => Grants::of([]),
    }
}
