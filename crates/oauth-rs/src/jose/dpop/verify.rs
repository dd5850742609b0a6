//! Every rule about a proof, in the order in which they are applied.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, Method};
use serde::Deserialize;

use super::TYP;
use super::refused::ProofRefused;
use crate::hash::sha256_base64url;
use crate::jose::claim::{self, read_seconds};
use crate::jose::{Alg, AlgSet, Header, Jws, PublicJwk, VerifyingKey, typ_is};
use crate::json;
use crate::time::UnixSeconds;
use crate::uri::TargetUri;

/// The longest `jti`, in bytes: a random one takes 22, a UUID 36, and a server has to remember it.
pub const MAX_JTI_BYTES: usize = 128;
/// One minute: time for a slow connection, while little has to be remembered against replay.
pub const DEFAULT_MAX_AGE: Duration = Duration::from_secs(60);
/// Half a minute: as much as the clocks of a client and a server may differ.
///
/// A current nonce does not widen it: until when a proof has to be remembered is counted from `iat`.
// RFC 9449 section 11.1: proofs from the reasonably near future may be accepted.
pub const DEFAULT_MAX_AHEAD: Duration = Duration::from_secs(30);

/// What a server accepts from everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The algorithms.
    pub algorithms: AlgSet,
    /// How old a proof may be.
    pub max_age: Duration,
    /// How far in the future a proof may have been made.
    pub max_ahead: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            algorithms: AlgSet::DEFAULT,
            max_age: DEFAULT_MAX_AGE,
            max_ahead: DEFAULT_MAX_AHEAD,
        }
    }
}

/// The request that a proof came with.
#[derive(Clone, Copy)]
pub struct Sent<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its address, as the client sees it: what a proxy in front has changed has to be undone.
    pub uri: &'a TargetUri,
    /// The access token, at a protected resource.
    pub access_token: Option<&'a str>,
    /// Which nonces are current; `None` if the client has not been given any.
    pub nonce: Option<&'a dyn Fn(&str) -> bool>,
}

impl fmt::Debug for Sent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent")
            .field("method", self.method)
            .field("uri", self.uri)
            .finish_non_exhaustive()
    }
}

/// A proof that holds for one request, made by [`verify`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedProof {
    jti: String,
    jkt: String,
    iat: UnixSeconds,
    void_from: UnixSeconds,
}

impl VerifiedProof {
    /// Its identifier, at most [`MAX_JTI_BYTES`] long.
    ///
    /// # Security
    /// A server keeps it until [`VerifiedProof::void_from`], by address, and refuses it meanwhile.
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// The thumbprint of the key: what `cnf.jkt` of a token says, and `dpop_jkt` of a request.
    pub fn jkt(&self) -> &str {
        &self.jkt
    }

    /// When the client made it, by its own clock.
    pub fn iat(&self) -> UnixSeconds {
        self.iat
    }

    /// From when on its age alone has it refused.
    pub fn void_from(&self) -> UnixSeconds {
        self.void_from
    }

    /// Whether it was made with the key that a token, a code or a request is bound to.
    ///
    /// # Errors
    /// [`ProofRefused::OtherKey`]
    // RFC 9449 sections 6 and 10: the thumbprint of the proof's key MUST be the bound one.
    pub fn check_key(&self, jkt: &str) -> Result<(), ProofRefused> {
        if self.jkt == jkt {
            Ok(())
        } else {
            Err(ProofRefused::OtherKey)
        }
    }
}

/// The proof of a request, if there is one.
///
/// # Errors
/// There are several, or it is not text.
// RFC 9449 section 4.3 rule 1: there is not more than one DPoP header.
pub fn header(headers: &HeaderMap) -> Result<Option<&str>, ProofRefused> {
    let mut all = headers.get_all("dpop").iter();
    let Some(first) = all.next() else {
        return Ok(None);
    };
    if all.next().is_some() {
        return Err(ProofRefused::SeveralHeaders);
    }
    first.to_str().map(Some).map_err(|_| ProofRefused::NotText)
}

/// Verifies a proof against the request it came with.
///
/// It decides, in this order: a well-formed token; its type; its algorithm; the public key in its
/// header; the signature by that key; the required claims; the length of `jti`; `htm`; `htu`; the
/// nonce, if one was given; `iat`; `ath`, if there is an access token.
///
/// Does not check: that the proof was not used before, which needs a memory for `jti`; that the key
/// is the one that the token is bound to, which [`VerifiedProof::check_key`] does.
///
/// # Errors
/// The first rule that does not hold.
///
/// Specification: RFC 9449 section 4.3.
pub fn verify(
    proof: &str,
    sent: &Sent<'_>,
    rules: &Rules,
    now: UnixSeconds,
) -> Result<VerifiedProof, ProofRefused> {
    let jws = Jws::parse(proof).map_err(ProofRefused::Form)?;
    check_type(jws.header())?;
    let alg = check_algorithm(jws.header(), rules)?;
    let jwk = read_key(jws.header(), alg)?;
    let key = VerifyingKey::new(&jwk).map_err(ProofRefused::Key)?;
    // RFC 9449 section 4.3 rule 7: the signature verifies with the key in the header.
    let signed = jws
        .verify(&key, rules.algorithms)
        .map_err(ProofRefused::Signature)?;
    // RFC 9449 section 4.3 rule 3: all required claims are there.
    let claims: Claims = claim::read(signed.payload()).map_err(ProofRefused::Claims)?;
    check_identifier(&claims.jti)?;
    // RFC 9449 section 4.3 rule 8: htm is the method of the request.
    if claims.htm != sent.method.as_str() {
        return Err(ProofRefused::Method);
    }
    check_uri(&claims.htu, sent.uri)?;
    check_nonce(claims.nonce.as_deref(), sent)?;
    check_time(claims.iat, rules, now)?;
    check_token_hash(claims.ath.as_deref(), sent)?;
    Ok(VerifiedProof {
        jti: claims.jti,
        jkt: jwk.thumbprint(),
        iat: claims.iat,
        void_from: claims.iat.after(rules.max_age).after(JUST_PAST),
    })
}

/// A proof as old as it may be still holds, so it is void one second later.
const JUST_PAST: Duration = Duration::from_secs(1);

// RFC 9449 section 4.2: jti, htm, htu and iat MUST be there; ath and nonce depend on the request.
#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    #[serde(deserialize_with = "read_seconds")]
    iat: UnixSeconds,
    #[serde(default, deserialize_with = "json::not_null")]
    ath: Option<String>,
    #[serde(default, deserialize_with = "json::not_null")]
    nonce: Option<String>,
}

// RFC 9449 section 4.3 rule 4: the type is dpop+jwt.
fn check_type(header: &Header) -> Result<(), ProofRefused> {
    match header.typ.as_deref() {
        Some(typ) if typ_is(typ, TYP) => Ok(()),
        _ => Err(ProofRefused::Type),
    }
}

// RFC 9449 section 4.3 rule 5: alg is asymmetric, known and acceptable.
fn check_algorithm(header: &Header, rules: &Rules) -> Result<Alg, ProofRefused> {
    header
        .alg()
        .filter(|alg| rules.algorithms.contains(*alg))
        .ok_or(ProofRefused::Algorithm)
}

// RFC 9449 section 4.2 and section 4.3 rule 6: the header has the public key, and nothing private.
fn read_key(header: &Header, alg: Alg) -> Result<PublicJwk, ProofRefused> {
    let jwk = header.jwk.as_ref().ok_or(ProofRefused::NoKey)?;
    PublicJwk::parse_for(alg, jwk.get().as_bytes()).map_err(ProofRefused::Key)
}

// RFC 9449 section 11.1: a server may limit the length of what it has to remember.
fn check_identifier(jti: &str) -> Result<(), ProofRefused> {
    if (1..=MAX_JTI_BYTES).contains(&jti.len()) {
        Ok(())
    } else {
        Err(ProofRefused::Identifier)
    }
}

// RFC 9449 section 4.3 rule 9: htu is the address of the request, normalised, query and fragment
// ignored.
fn check_uri(htu: &str, uri: &TargetUri) -> Result<(), ProofRefused> {
    match TargetUri::parse(htu) {
        Ok(named) if named == *uri => Ok(()),
        _ => Err(ProofRefused::Uri),
    }
}

// RFC 9449 section 4.3 rule 10 and section 9: once a nonce was given, a proof has a current one.
fn check_nonce(nonce: Option<&str>, sent: &Sent<'_>) -> Result<(), ProofRefused> {
    match (sent.nonce, nonce) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(ProofRefused::NonceMissing),
        (Some(is_current), Some(nonce)) if is_current(nonce) => Ok(()),
        (Some(_), Some(_)) => Err(ProofRefused::Nonce),
    }
}

// RFC 9449 section 4.3 rule 11: the time of the proof is within a window.
fn check_time(iat: UnixSeconds, rules: &Rules, now: UnixSeconds) -> Result<(), ProofRefused> {
    if iat > now.after(rules.max_ahead) {
        return Err(ProofRefused::Ahead {
            ahead: iat.since(now),
        });
    }
    if now.since(iat) > rules.max_age {
        return Err(ProofRefused::TooOld {
            age: now.since(iat),
        });
    }
    Ok(())
}

// RFC 9449 section 4.3 rule 12: with an access token, ath is its hash.
fn check_token_hash(ath: Option<&str>, sent: &Sent<'_>) -> Result<(), ProofRefused> {
    let Some(token) = sent.access_token else {
        return Ok(());
    };
    match ath {
        None => Err(ProofRefused::TokenHashMissing),
        Some(ath) if ath == sha256_base64url(token.as_bytes()) => Ok(()),
        Some(_) => Err(ProofRefused::TokenHash),
    }
}
