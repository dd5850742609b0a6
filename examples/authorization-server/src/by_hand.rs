//! How to walk through the server by hand: the four requests of a client.

use oauth_rs::params::encode;
use oauth_rs::uri::Issuer;

use crate::RESOURCE;

/// Where the browser is sent with the code; nothing answers there, and the address bar is enough.
pub(crate) const REDIRECT: &str = "http://127.0.0.1:9/callback";

/// A verifier and its challenge; a real client draws a new verifier each time.
// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The body of a registration.
pub(crate) fn registration() -> String {
    format!(
        r#"{{"client_name":"By hand","redirect_uris":["{REDIRECT}"],"token_endpoint_auth_method":"none"}}"#
    )
}

/// The address that a person opens.
pub(crate) fn authorization(issuer: &Issuer, client: &str) -> String {
    let query = encode(&[
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("scope", "notes:read"),
        ("resource", RESOURCE),
        ("state", "by-hand"),
    ]);
    format!("{}/authorize?{query}&client_id={client}", issuer.as_str())
}

/// The form that turns the code into tokens.
pub(crate) fn redemption(client: &str, code: &str) -> String {
    let form = encode(&[
        ("grant_type", "authorization_code"),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("resource", RESOURCE),
    ]);
    format!("{form}&client_id={client}&code={code}")
}

/// All of it, with shell variables where an answer of the server belongs.
pub(crate) fn told(issuer: &Issuer) -> String {
    let server = issuer.as_str();
    format!(
        "The authorization server is {server}. Paste into another terminal:

# 1. what it says about itself
curl {server}/.well-known/oauth-authorization-server

# 2. become a client; keep the client_id of the answer
curl {server}/register -H 'content-type: application/json' -d '{}'
CLIENT=

# 3. open this address in a browser, pick a person, allow; the browser ends at a page that
#    does not load, and its address has the code (it is good for a minute)
echo \"{}\"
CODE=

# 4. the code for tokens; once
curl {server}/token -d \"{}\"

What happens is told here:",
        registration(),
        authorization(issuer, "$CLIENT"),
        redemption("$CLIENT", "$CODE"),
    )
}
