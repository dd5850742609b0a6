//! Whether a redirect address belongs to the client that named it.

use std::fmt;

use oauth_rs::uri::RedirectUri;

use super::client::KnownClient;
use crate::record;
use crate::refused::Refused;

/// A redirect address that the client registered.
///
/// Holding one is the permission to send something to it, an error included.
///
/// Does not check: who controls the host today.
///
/// Specification: RFC 9700 section 4.1.3; RFC 8252 section 7.3.
#[derive(Clone, Debug)]
pub(crate) struct CheckedRedirectUri(RedirectUri);

/// Where a browser is sent: to a checked address with an answer, or to a page of this server.
///
/// Nothing else becomes a `Location` header; it may hold a code, so `Debug` does not show it.
#[derive(PartialEq, Eq)]
pub(crate) struct Location(String);

impl Location {
    /// A page of this server.
    pub(crate) fn own(path: &str, request: &str) -> Self {
        let query = oauth_rs::params::encode(&[("request", request)]);
        Self(format!("{path}?{query}"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Location(..)")
    }
}

/// The address that the client named, or the only one that it has.
pub(crate) fn check(
    client: &KnownClient,
    sent: Option<&str>,
) -> Result<CheckedRedirectUri, Refused> {
    let Some(sent) = sent else {
        // OAuth 2.1 section 4.1.1: it may be left out only if exactly one is registered.
        return match client.redirect_uris.as_slice() {
            [only] => Ok(CheckedRedirectUri(only.clone())),
            _ => Err(Refused::RedirectUriMissing),
        };
    };
    let sent = RedirectUri::parse(sent).map_err(|_| Refused::RedirectUriMalformed)?;
    // RFC 9700 section 4.1.3: compared exactly, but for the port of a loopback address.
    if !client
        .redirect_uris
        .iter()
        .any(|known| known.same_but_loopback_port(&sent))
    {
        return Err(Refused::RedirectUriUnknown);
    }
    Ok(CheckedRedirectUri(sent))
}

impl CheckedRedirectUri {
    /// The address of a request that waits: it was checked before the request was stored.
    pub(crate) fn waiting(request: &record::Request) -> Self {
        Self(request.redirect_uri.clone())
    }

    /// Whether a browser may be sent there before its person has seen a page: nothing but a program on the same computer gets it.
    ///
    /// Anybody can register any other address, and would have a link of this server that leads there.
    pub(crate) fn is_on_this_computer(&self) -> bool {
        // OAuth 2.1 section 7.12.2: redirect automatically only to what is trusted.
        self.0.is_loopback() || self.0.application().is_some()
    }

    pub(crate) const fn address(&self) -> &RedirectUri {
        &self.0
    }

    /// The address with an answer in its query.
    pub(crate) fn answered(
        &self,
        answer: &[(&str, &str)],
        state: Option<&str>,
        issuer: &str,
    ) -> Location {
        let mut pairs = answer.to_vec();
        // RFC 6749 section 4.1.2: state is REQUIRED if it was in the request, with the exact value.
        if let Some(state) = state {
            pairs.push(("state", state));
        }
        // RFC 9207 section 2: iss goes with success and with errors.
        pairs.push(("iss", issuer));
        Location(self.0.with_params(&pairs))
    }

    /// The address with an error in its query.
    pub(crate) fn refused(&self, reason: &Refused, state: Option<&str>, issuer: &str) -> Location {
        let description = reason.description();
        self.answered(
            &[
                ("error", reason.code().as_str()),
                ("error_description", &description),
            ],
            state,
            issuer,
        )
    }
}

#[cfg(test)]
mod tests {
    use oauth_rs::uri::RedirectUri;

    use super::{KnownClient, check};
    use crate::refused::Refused;

    fn client(uris: &[&str]) -> KnownClient {
        KnownClient {
            id: "c".to_owned(),
            name: None,
            redirect_uris: uris
                .iter()
                .map(|uri| RedirectUri::parse(uri).unwrap())
                .collect(),
            may_refresh: true,
            dpop_bound: false,
        }
    }

    #[test]
    fn compared_exactly_but_for_the_port_of_a_loopback_address() {
        let client = client(&["https://c.example/cb?a=1", "http://127.0.0.1/cb"]);
        for sent in [
            "https://c.example/cb?a=1",
            "http://127.0.0.1/cb",
            "http://127.0.0.1:4711/cb",
        ] {
            assert_eq!(check(&client, Some(sent)).unwrap().address().as_str(), sent);
        }
        for sent in [
            "https://c.example/cb",
            "https://c.example/cb?a=1&b=2",
            "https://c.example/cb/?a=1",
            "https://C.example/cb?a=1",
            "https://c.example:443/cb?a=1",
            "https://c.example.evil.example/cb?a=1",
            "http://127.0.0.1:4711/other",
            "http://127.0.0.2/cb",
            "http://localhost/cb",
        ] {
            assert!(
                matches!(
                    check(&client, Some(sent)),
                    Err(Refused::RedirectUriUnknown | Refused::RedirectUriMalformed)
                ),
                "{sent}"
            );
        }
        for sent in [
            "https://c.example/cb?a=1#x",
            "javascript:alert(1)",
            "/cb",
            "http://c.example/cb",
        ] {
            assert_eq!(
                check(&client, Some(sent)).unwrap_err(),
                Refused::RedirectUriMalformed,
                "{sent}"
            );
        }
    }

    #[test]
    fn only_loopback_and_known_applications_are_on_this_computer() {
        for (uri, expected) in [
            ("http://127.0.0.1:4711/cb", true),
            ("http://localhost/cb", true),
            ("http://[::1]/cb", true),
            ("cursor://anysphere.cursor-mcp/cb", true),
            ("https://c.example/cb", false),
            ("https://localhost/cb", false),
            ("https://127.0.0.1/cb", false),
            ("com.example.app:/cb", false),
        ] {
            let checked = check(&client(&[uri]), None).unwrap();
            assert_eq!(checked.is_on_this_computer(), expected, "{uri}");
        }
    }

    #[test]
    fn left_out_only_if_there_is_one() {
        assert!(check(&client(&["https://c.example/cb"]), None).is_ok());
        let two = client(&["https://c.example/cb", "https://c.example/cb2"]);
        assert_eq!(check(&two, None).unwrap_err(), Refused::RedirectUriMissing);
    }

    #[test]
    fn an_answer_keeps_the_query_and_carries_state_and_issuer() {
        let client = client(&["https://c.example/cb?a=1"]);
        let checked = check(&client, None).unwrap();
        let sent = checked.answered(&[("code", "secret")], None, "https://as.example");
        assert_eq!(format!("{sent:?}"), "Location(..)");
        assert_eq!(
            checked
                .answered(&[("code", "x")], Some("s t%\""), "https://as.example")
                .as_str(),
            "https://c.example/cb?a=1&code=x&state=s+t%25%22&iss=https%3A%2F%2Fas.example"
        );
        assert_eq!(
            checked
                .refused(&Refused::Denied, None, "https://as.example")
                .as_str(),
            "https://c.example/cb?a=1&error=access_denied&error_description=the+request+was+refused&iss=https%3A%2F%2Fas.example"
        );
    }
}
