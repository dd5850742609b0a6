//! What is told of each request and of its answer; tokens, codes and verifiers are not.

use http::{Request, Response, header};
use oauth_rs::client::flow::StoredGrant;
use oauth_rs::params::Params;
use serde_json::Value;

/// The members of answers that decide how the way goes on.
const MEMBERS: [&str; 14] = [
    "resource",
    "authorization_servers",
    "scopes_supported",
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "registration_endpoint",
    "code_challenge_methods_supported",
    "client_id",
    "token_type",
    "expires_in",
    "scope",
    "error",
    "error_description",
];

/// The parameters of a form whose values are secrets.
const SECRETS: [&str; 5] = [
    "code",
    "code_verifier",
    "refresh_token",
    "client_secret",
    "state",
];

/// A request: its method, its address, and the parameters of a form.
pub(crate) fn sent<B: AsRef<[u8]>>(request: &Request<B>) -> String {
    let mut line = format!("-> {} {}", request.method(), request.uri());
    let kind = request.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind == "application/x-www-form-urlencoded") {
        let form = Params::parse_form(request.body().as_ref(), &[]);
        for (name, value) in form.iter().flat_map(Params::iter) {
            let value = if SECRETS.contains(&name) {
                "..."
            } else {
                value
            };
            line.push_str(&format!("\n   {name}: {value}"));
        }
    }
    if request.headers().contains_key(header::AUTHORIZATION) {
        line.push_str("\n   with the token");
    }
    line
}

/// An answer: its status, its challenges, and the members that matter.
pub(crate) fn learned<B: AsRef<[u8]>>(response: &Response<B>, tell: &mut impl FnMut(String)) {
    tell(format!("<- {}", response.status()));
    for challenge in response.headers().get_all(header::WWW_AUTHENTICATE) {
        // The debug form escapes what a terminal would take for a command.
        tell(format!("   challenge: {challenge:?}"));
    }
    let body: Value = serde_json::from_slice(response.body().as_ref()).unwrap_or_default();
    for name in MEMBERS {
        if let Some(value) = body.get(name) {
            // JSON escapes, too.
            tell(format!("   {name}: {value}"));
        }
    }
}

/// What a program keeps for the next time.
pub(crate) fn kept(grant: &StoredGrant) -> String {
    format!(
        "   to keep for {} at {}: client {:?}, an access token{}",
        grant.resource,
        grant.issuer,
        grant.client.client_id,
        if grant.refresh_token.is_some() {
            ", a refresh token"
        } else {
            ""
        },
    )
}
