//! An assertion as a server reads it, and every rule about it in the order in which they are applied.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::refused::AssertionRefused;
use super::{MAX_JTI_BYTES, MAX_LIFETIME, SKEW, TYP};
use crate::jose::claim::{self, read_audience, read_optional_seconds, read_seconds};
use crate::jose::{AlgSet, Header, JwkSet, Jws, typ_is};
use crate::time::UnixSeconds;
use crate::uri::Issuer;

/// Signatures that one assertion may cost, when it names no key.
const MAX_CANDIDATES: usize = 8;

/// What a server accepts.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    server: &'a Issuer,
    token_endpoint: Option<&'a str>,
    /// The algorithms; what the client has registered, if it has.
    pub algorithms: AlgSet,
    /// How long after now an assertion may expire.
    pub max_lifetime: Duration,
    /// How far the clocks may differ.
    pub skew: Duration,
}

impl<'a> Rules<'a> {
    /// The rules of the server with this identifier.
    pub fn new(server: &'a Issuer) -> Self {
        Self {
            server,
            token_endpoint: None,
            algorithms: AlgSet::DEFAULT,
            max_lifetime: MAX_LIFETIME,
            skew: SKEW,
        }
    }

    /// Also takes the address of the token endpoint as the audience, for clients from before
    /// draft-ietf-oauth-rfc7523bis.
    ///
    /// # Security
    /// A hostile server that names this address as its own token endpoint gets assertions that hold
    /// here. Take this for single clients that cannot be changed, never for all of them.
    #[must_use]
    pub fn insecure_also_for_token_endpoint(mut self, url: &'a str) -> Self {
        self.token_endpoint = Some(url);
        self
    }
}

/// A well-formed assertion whose signature has not been verified.
///
/// `Debug` shows the client and the header, and not what would let somebody else use it.
pub struct Received<'a> {
    jws: Jws<'a>,
    claims: Claims,
}

/// An assertion that authenticates a client, made by [`Received::verify`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAssertion {
    client_id: String,
    jti: String,
    void_from: UnixSeconds,
}

impl VerifiedAssertion {
    /// The client that is authenticated.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Its identifier, at most [`MAX_JTI_BYTES`] long.
    ///
    /// # Security
    /// A server keeps it until [`VerifiedAssertion::void_from`], by client, and refuses it meanwhile.
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// From when on its age alone has it refused.
    pub fn void_from(&self) -> UnixSeconds {
        self.void_from
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    #[serde(deserialize_with = "read_owned_audience")]
    aud: Vec<String>,
    #[serde(deserialize_with = "read_seconds")]
    exp: UnixSeconds,
    #[serde(default, deserialize_with = "read_optional_seconds")]
    iat: Option<UnixSeconds>,
    #[serde(default, deserialize_with = "read_optional_seconds")]
    nbf: Option<UnixSeconds>,
    jti: String,
}

fn read_owned_audience<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    let audience = read_audience(deserializer)?;
    Ok(audience.into_iter().map(Cow::into_owned).collect())
}

impl<'a> Received<'a> {
    /// Reads an assertion, so that the keys of the client can be looked up.
    ///
    /// It decides, in this order: a well-formed token; its type, if it has one; `iss`, `sub`, `aud`,
    /// `exp` and `jti` are there and have their types, as `iat` and `nbf` if they are there; `iss`
    /// and `sub` are the same; the length of `jti`.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse(assertion: &'a str) -> Result<Self, AssertionRefused> {
        let jws = Jws::parse(assertion).map_err(AssertionRefused::Form)?;
        check_type(jws.header())?;
        // RFC 7523 section 3: iss, sub, aud and exp are REQUIRED; OpenID Connect Core section 9: jti too.
        let claims: Claims =
            claim::read(jws.unverified_payload()).map_err(AssertionRefused::Claims)?;
        // RFC 7523 section 3: iss and sub are the client_id.
        if claims.iss != claims.sub || claims.sub.is_empty() {
            return Err(AssertionRefused::Client);
        }
        if !(1..=MAX_JTI_BYTES).contains(&claims.jti.len()) {
            return Err(AssertionRefused::Identifier);
        }
        Ok(Self { jws, claims })
    }

    /// Which client this claims to be: the word of a stranger until the signature is verified.
    pub fn client_id(&self) -> &str {
        &self.claims.sub
    }

    /// Verifies the assertion with the keys of the client.
    ///
    /// It decides, in this order: the algorithm; a key of this id and algorithm; the signature; the
    /// sole audience; `exp`, `iat` and `nbf`.
    ///
    /// Does not check: that the keys are those of [`Received::client_id`]; that the assertion was not
    /// used before, which needs a memory for `jti`; that a `client_id` beside it is the same.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn verify(
        &self,
        keys: &JwkSet,
        rules: &Rules<'_>,
        now: UnixSeconds,
    ) -> Result<VerifiedAssertion, AssertionRefused> {
        self.check_signature(keys, rules)?;
        self.check_audience(rules)?;
        self.check_expiry(rules, now)?;
        self.check_start(rules, now)?;
        Ok(VerifiedAssertion {
            client_id: self.claims.sub.clone(),
            jti: self.claims.jti.clone(),
            void_from: self.claims.exp.after(rules.skew),
        })
    }

    // RFC 7523 section 3: the assertion MUST be signed by its issuer, which is the client.
    fn check_signature(&self, keys: &JwkSet, rules: &Rules<'_>) -> Result<(), AssertionRefused> {
        let header = self.jws.header();
        let alg = header
            .alg()
            .filter(|alg| rules.algorithms.contains(*alg))
            .ok_or(AssertionRefused::Algorithm)?;
        let mut refusal = AssertionRefused::UnknownKey;
        for key in keys.find(header.kid.as_deref(), alg).take(MAX_CANDIDATES) {
            match self.jws.verify(key, rules.algorithms) {
                Ok(_) => return Ok(()),
                Err(reason) => refusal = AssertionRefused::Signature(reason),
            }
        }
        Err(refusal)
    }

    // draft-ietf-oauth-rfc7523bis section 3: the issuer of the server MUST be the sole audience.
    fn check_audience(&self, rules: &Rules<'_>) -> Result<(), AssertionRefused> {
        match self.claims.aud.as_slice() {
            [one] if one == rules.server.as_str() || Some(one.as_str()) == rules.token_endpoint => {
                Ok(())
            }
            _ => Err(AssertionRefused::Audience),
        }
    }

    // RFC 7523 section 3: an expired assertion MUST be refused, and one that is good for an
    // unreasonably long time may be.
    fn check_expiry(&self, rules: &Rules<'_>, now: UnixSeconds) -> Result<(), AssertionRefused> {
        let exp = self.claims.exp;
        if now >= exp.after(rules.skew) {
            return Err(AssertionRefused::Expired {
                ago: now.since(exp),
            });
        }
        if exp > now.after(rules.max_lifetime).after(rules.skew) {
            return Err(AssertionRefused::TooLong {
                left: exp.since(now),
            });
        }
        Ok(())
    }

    // RFC 7523 section 3: nbf MUST have come, and an iat unreasonably far in the past may be refused.
    fn check_start(&self, rules: &Rules<'_>, now: UnixSeconds) -> Result<(), AssertionRefused> {
        let latest = now.after(rules.skew);
        for start in [self.claims.nbf, self.claims.iat].into_iter().flatten() {
            if start > latest {
                return Err(AssertionRefused::Ahead {
                    ahead: start.since(now),
                });
            }
        }
        match self.claims.iat {
            Some(iat) if iat.after(rules.max_lifetime).after(rules.skew) < now => {
                Err(AssertionRefused::TooOld {
                    age: now.since(iat),
                })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("client_id", &self.claims.sub)
            .field("header", self.jws.header())
            .finish_non_exhaustive()
    }
}

// draft-ietf-oauth-rfc7523bis section 3: a type that is there is the one for this use; `JWT` is what
// clients wrote before there was one.
fn check_type(header: &Header) -> Result<(), AssertionRefused> {
    match header.typ.as_deref() {
        None => Ok(()),
        Some(typ) if typ_is(typ, TYP) || typ_is(typ, "JWT") => Ok(()),
        Some(_) => Err(AssertionRefused::Type),
    }
}
