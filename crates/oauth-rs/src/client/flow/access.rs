//! Calling a resource: the token in its header, and a proof of the key that it is bound to.

use std::fmt;
use std::sync::Arc;

use http::header::{HeaderName, HeaderValue, InvalidHeaderValue};
use http::{HeaderMap, Method, Request, StatusCode, header};
use thiserror::Error;

use super::StoredGrant;
use crate::challenge::Challenge;
use crate::entropy::Entropy;
use crate::error_code::ErrorCode;
use crate::jose::dpop::Proof;
use crate::jose::{SigningFailed, SigningKey};
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::{InvalidUri, ResourceId, TargetUri};

/// The longest nonce that is kept; servers make them of a few dozen characters.
pub const MAX_NONCE_BYTES: usize = 512;

/// How many servers' nonces are kept: a resource and its authorization server are two.
const MAX_NONCES: usize = 8;

pub(super) const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Why a call cannot carry the token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AccessRefused {
    /// The address is not one.
    #[error("the address of the call: {0}")]
    Address(InvalidUri),
    /// The address does not belong to the resource that the token is for.
    #[error("the token is for another resource than the address of the call")]
    OtherResource,
    /// The token has a character that no header can carry.
    #[error("the token cannot be written into a header")]
    Token,
    /// The token is bound to another key than the one that was given, or none was.
    #[error("the token is bound to a key that was not given")]
    KeyMissing,
    /// The proof cannot be made.
    #[error("the proof cannot be made: {0}")]
    Proof(SigningFailed),
}

impl From<InvalidHeaderValue> for AccessRefused {
    fn from(_: InvalidHeaderValue) -> Self {
        Self::Token
    }
}

/// A token for one resource, and the key that it is bound to, if it is.
///
/// `Debug` shows neither.
#[derive(Clone)]
pub struct Access {
    resource: ResourceId,
    token: Secret,
    key: Option<Arc<SigningKey>>,
}

impl Access {
    /// A token that is bound to no key.
    pub(in crate::client) fn unbound(resource: ResourceId, token: Secret) -> Self {
        Self {
            resource,
            token,
            key: None,
        }
    }

    /// The access token of a grant, with the key that it is bound to.
    ///
    /// A grant that is not bound needs none, and has no use for one.
    ///
    /// # Errors
    /// It is bound to a key, and this is not the one.
    pub fn new(grant: &StoredGrant, key: Option<&Arc<SigningKey>>) -> Result<Self, AccessRefused> {
        let key = match &grant.dpop_jkt {
            None => None,
            Some(jkt) => match key {
                Some(key) if key.kid() == jkt => Some(Arc::clone(key)),
                _ => return Err(AccessRefused::KeyMissing),
            },
        };
        Ok(Self {
            resource: grant.resource.clone(),
            token: grant.access_token.clone(),
            key,
        })
    }

    /// The token itself; a call wants [`Access::headers`].
    pub fn token(&self) -> &Secret {
        &self.token
    }

    /// Whether each call has to prove a key.
    pub fn is_bound(&self) -> bool {
        self.key.is_some()
    }

    /// The headers of one call: `Authorization`, and `DPoP` with a fresh proof if the token is bound.
    ///
    /// Each call needs its own, one that is sent again as well.
    ///
    /// # Errors
    /// The address is not of the resource that the token is for, or the proof cannot be made.
    pub fn headers(
        &self,
        method: &Method,
        url: &str,
        nonces: &Nonces,
        now: UnixSeconds,
        e: &dyn Entropy,
    ) -> Result<HeaderMap, AccessRefused> {
        // MCP 2026-07-28: a token is sent to the server that it was issued for, and to no other.
        if !self.resource.covers(url) {
            return Err(AccessRefused::OtherResource);
        }
        let mut headers = HeaderMap::new();
        // RFC 6750 section 2.1, RFC 9449 section 7.1: in the header, under the scheme of its kind.
        let scheme = if self.is_bound() { "DPoP" } else { "Bearer" };
        let text = format!("{scheme} {}", self.token.expose());
        let mut value = HeaderValue::try_from(text)?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
        if let Some(key) = &self.key {
            let uri = TargetUri::parse(url).map_err(AccessRefused::Address)?;
            let proof = Proof {
                method,
                uri: &uri,
                nonce: nonces.get(url),
                access_token: Some(self.token.expose()),
            };
            let proof = proof.sign(key, now, e).map_err(AccessRefused::Proof)?;
            headers.insert(DPOP, HeaderValue::try_from(proof)?);
        }
        Ok(headers)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("resource", &self.resource)
            .field("is_bound", &self.is_bound())
            .finish_non_exhaustive()
    }
}

/// Whether a resource refused a call only because it wants its nonce in the proof, and gave it.
///
/// Then the same call is sent again, once, with [`Access::headers`] of its own, after
/// [`Nonces::note`]; the token is as good as before.
///
/// Specification: RFC 9449 section 9.
pub fn asks_for_nonce(status: StatusCode, headers: &HeaderMap) -> bool {
    let asked =
        |one: &Challenge| one.is_scheme("DPoP") && one.error() == Some(ErrorCode::UseDpopNonce);
    status == StatusCode::UNAUTHORIZED
        && nonce_in(headers).is_some()
        && Challenge::all_of(headers).iter().any(asked)
}

/// Adds a fresh proof of `key` to a request for tokens, with the nonce of its server if there is one.
///
/// # Errors
/// The proof cannot be made.
///
/// Specification: RFC 9449 section 5.
pub fn prove(
    request: &mut Request<Vec<u8>>,
    key: &SigningKey,
    nonces: &Nonces,
    now: UnixSeconds,
    e: &dyn Entropy,
) -> Result<(), AccessRefused> {
    let url = request.uri().to_string();
    let uri = TargetUri::parse(&url).map_err(AccessRefused::Address)?;
    let proof = Proof {
        method: request.method(),
        uri: &uri,
        nonce: nonces.get(&url),
        access_token: None,
    };
    let proof = proof.sign(key, now, e).map_err(AccessRefused::Proof)?;
    request
        .headers_mut()
        .insert(DPOP, HeaderValue::try_from(proof)?);
    Ok(())
}

/// The nonces that servers want to see in the next proof, the latest of each origin.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use oauth_rs::client::flow::Nonces;
///
/// let mut nonces = Nonces::default();
/// let mut headers = HeaderMap::new();
/// headers.insert("DPoP-Nonce", HeaderValue::from_static("n-1"));
/// assert!(nonces.note("https://rs.example/mcp", &headers));
/// assert_eq!(nonces.get("https://rs.example/other"), Some("n-1"));
/// assert_eq!(nonces.get("https://as.example/token"), None);
/// // The same again is nothing new.
/// assert!(!nonces.note("https://rs.example/mcp", &headers));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Nonces {
    /// The least recently changed first.
    kept: Vec<(String, String)>,
}

impl Nonces {
    /// Keeps the nonce of an answer, whatever its status, and says whether there is a new one.
    ///
    /// A second `DPoP-Nonce` header, or a value that is no nonce, counts as none.
    pub fn note(&mut self, url: &str, headers: &HeaderMap) -> bool {
        let (Some(nonce), Some(origin)) = (nonce_in(headers), origin(url)) else {
            return false;
        };
        if self.get(url) == Some(nonce) {
            return false;
        }
        self.kept.retain(|(own, _)| *own != origin);
        if self.kept.len() >= MAX_NONCES {
            self.kept.remove(0);
        }
        self.kept.push((origin, nonce.to_owned()));
        true
    }

    /// The nonce for a call to this address.
    pub fn get(&self, url: &str) -> Option<&str> {
        // RFC 9449 section 8.2: nonces of authorization servers and of resources are independent.
        let origin = origin(url)?;
        let kept = self.kept.iter().find(|(own, _)| *own == origin);
        kept.map(|(_, nonce)| nonce.as_str())
    }
}

/// The nonce of an answer, if it has one and only one.
fn nonce_in(headers: &HeaderMap) -> Option<&str> {
    // RFC 9449 section 8.1: there MUST NOT be more than one.
    let mut sent = headers.get_all(&DPOP_NONCE).iter();
    let (Some(nonce), None) = (sent.next(), sent.next()) else {
        return None;
    };
    nonce.to_str().ok().filter(|text| is_nonce(text))
}

// RFC 9449 section 8.1: a nonce is one or more NQCHAR.
fn is_nonce(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_NONCE_BYTES
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

/// The origin of an address in the one spelling by which nonces are kept.
fn origin(url: &str) -> Option<String> {
    let target = TargetUri::parse(url).ok()?;
    let resource = ResourceId::parse(target.as_str()).ok()?;
    Some(resource.origin().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::dpop::{Rules, Sent, verify};

    const URL: &str = "https://rs.example/mcp";
    const NOW: UnixSeconds = UnixSeconds(1_000);

    fn access(key: Option<Arc<SigningKey>>) -> Access {
        Access {
            resource: ResourceId::parse(URL).unwrap(),
            token: Secret::new("the-token"),
            key,
        }
    }

    fn key() -> Arc<SigningKey> {
        Arc::new(SigningKey::generate_es256().unwrap())
    }

    fn headers(access: &Access, url: &str, nonces: &Nonces) -> Result<HeaderMap, AccessRefused> {
        let ones = |dest: &mut [u8]| dest.fill(1);
        access.headers(&Method::POST, url, nonces, NOW, &ones)
    }

    fn nonce(values: &[&str]) -> HeaderMap {
        let values = values
            .iter()
            .map(|value| HeaderValue::from_str(value).unwrap());
        values.map(|value| (DPOP_NONCE, value)).collect()
    }

    #[test]
    fn a_token_goes_to_its_resource_only() {
        let access = access(None);
        let sent = headers(&access, URL, &Nonces::default()).unwrap();
        assert_eq!(sent[header::AUTHORIZATION], "Bearer the-token");
        assert!(sent[header::AUTHORIZATION].is_sensitive());
        assert_eq!(sent.len(), 1);
        assert!(headers(&access, "https://rs.example/mcp/x?y=1", &Nonces::default()).is_ok());
        for elsewhere in [
            "https://evil.example/mcp",
            "http://rs.example/mcp",
            "https://rs.example:444/mcp",
            "https://rs.example/mcp-other",
            "https://rs.example/mcp/../admin",
            "",
        ] {
            let refused = headers(&access, elsewhere, &Nonces::default());
            assert_eq!(refused.unwrap_err(), AccessRefused::OtherResource);
        }
        assert!(!format!("{access:?}").contains("the-token"));
    }

    #[test]
    fn a_bound_token_comes_with_a_proof_of_this_call() {
        let key = key();
        let access = access(Some(Arc::clone(&key)));
        let mut nonces = Nonces::default();
        nonces.note(URL, &nonce(&["n-1"]));
        let sent = headers(&access, "https://rs.example/mcp?x=1", &nonces).unwrap();
        assert_eq!(sent[header::AUTHORIZATION], "DPoP the-token");
        let uri = TargetUri::parse(URL).unwrap();
        let wanted = Sent {
            method: &Method::POST,
            uri: &uri,
            access_token: Some("the-token"),
            nonce: Some(&|nonce: &str| nonce == "n-1"),
        };
        let proof = sent[DPOP].to_str().unwrap();
        let verified = verify(proof, &wanted, &Rules::default(), NOW).unwrap();
        assert!(verified.check_key(key.kid()).is_ok());
    }

    #[test]
    fn a_nonce_is_of_one_server_and_the_latest_counts() {
        let mut nonces = Nonces::default();
        assert!(nonces.note(URL, &nonce(&["a"])));
        assert!(nonces.note("https://as.example/token", &nonce(&["b"])));
        assert!(nonces.note("https://RS.example:443/other", &nonce(&["c"])));
        assert_eq!(nonces.get(URL), Some("c"));
        assert_eq!(nonces.get("https://as.example"), Some("b"));
        assert_eq!(nonces.get("https://rs.example:8443/mcp"), None);
        for refused in [
            vec![],
            vec!["a", "b"],
            vec![""],
            vec!["with \"quotes\""],
            vec!["with space"],
            vec!["x".repeat(MAX_NONCE_BYTES + 1).as_str()],
        ] {
            assert!(!nonces.note(URL, &nonce(&refused)), "{refused:?}");
            assert_eq!(nonces.get(URL), Some("c"));
        }
    }

    #[test]
    fn only_a_refusal_for_want_of_a_nonce_that_brings_one_asks_for_it() {
        let refused = |status: u16, value: &str, nonces: &[&str]| {
            let mut headers = nonce(nonces);
            headers.insert(header::WWW_AUTHENTICATE, value.parse().unwrap());
            asks_for_nonce(StatusCode::from_u16(status).unwrap(), &headers)
        };
        let wants = r#"Bearer, DPoP error="use_dpop_nonce""#;
        assert!(refused(401, wants, &["n"]));
        for (status, value, nonces) in [
            (400, wants, &["n"][..]),
            (401, wants, &[]),
            (401, wants, &["n", "m"]),
            (401, r#"DPoP error="invalid_token""#, &["n"]),
            (401, r#"Bearer error="use_dpop_nonce""#, &["n"]),
        ] {
            assert!(!refused(status, value, nonces), "{status} {value}");
        }
    }

    #[test]
    fn nonces_of_a_few_servers_are_kept() {
        let mut nonces = Nonces::default();
        for n in 0..20 {
            nonces.note(&format!("https://s{n}.example/"), &nonce(&["x"]));
        }
        assert_eq!(nonces.kept.len(), MAX_NONCES);
        assert_eq!(nonces.get("https://s11.example"), None);
        assert_eq!(nonces.get("https://s12.example"), Some("x"));
    }
}
