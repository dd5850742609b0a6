//! Whether whoever sends a token request holds the key that it is about (RFC 9449).

use std::cell::Cell;

use http::{HeaderMap, Method};
use oauth_rs::certificate::Thumbprint;
use oauth_rs::jose::dpop::{self, ProofRefused, ReplayClaim, Sent, VerifiedProof};
use oauth_rs::params::Params;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::TargetUri;

use crate::config::Config;
use crate::endpoint::metadata::{address, path};
use crate::refused::Refused;

/// The proof of a token request: which key, what is to be spent, and the nonce that the client should have.
#[derive(Debug)]
pub(crate) struct Proved {
    pub(crate) proof: VerifiedProof,
    pub(crate) claim: ReplayClaim,
    pub(crate) next_nonce: Option<String>,
}

/// The proof of a token request, if there is one.
///
/// Where DPoP is off the header means nothing, and no token is bound.
///
/// Does not check: that the proof was not used before, which spending its claim does; that the key is the one that is bound, which [`holds`] does.
pub(crate) fn verify(
    config: &Config,
    headers: &HeaderMap,
    now: UnixSeconds,
) -> Result<Option<Proved>, Refused> {
    let Some(dpop) = &config.dpop else {
        return Ok(None);
    };
    let Some(sent) = dpop::header(headers).map_err(Refused::Proof)? else {
        return Ok(None);
    };
    // RFC 9449 section 4.3 rule 9: htu is the token endpoint as it is configured; what a request says of its host is the sender's to choose.
    let uri = TargetUri::parse(&address(config, path::TOKEN))
        .map_err(|_| Refused::Proof(ProofRefused::Uri))?;
    let nonces = config.nonces.as_ref();
    let is_old = Cell::new(false);
    let is_current = |nonce: &str| {
        nonces.is_some_and(|nonces| {
            is_old.set(!nonces.is_fresh(nonce, now));
            nonces.is_current(nonce, now)
        })
    };
    let request = Sent {
        method: &Method::POST,
        uri: &uri,
        // RFC 9449 section 5: there is no access token yet.
        access_token: None,
        nonce: nonces.map(|_| &is_current as &dyn Fn(&str) -> bool),
    };
    let proof = dpop::verify(sent, &request, dpop, now).map_err(Refused::Proof)?;
    // RFC 9449 section 8.2: a new nonce may come with any answer.
    let next_nonce = nonces
        .filter(|_| is_old.get())
        .map(|nonces| nonces.fresh(now));
    Ok(Some(Proved {
        claim: ReplayClaim::new(&proof, &uri),
        proof,
        next_nonce,
    }))
}

/// Whether the sender holds the key that something is bound to, if it is bound.
pub(crate) fn holds(
    what: &'static str,
    bound_to: Option<&str>,
    proof: Option<&VerifiedProof>,
) -> Result<(), Refused> {
    match (bound_to, proof) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(Refused::NoProof(what)),
        // RFC 9449 sections 5 and 10: the key of the proof MUST be the bound one.
        (Some(jkt), Some(proof)) => proof.check_key(jkt).map_err(|_| Refused::OtherKey(what)),
    }
}

// RFC 9449 section 5.2: a client that registered dpop_bound_access_tokens gets no token without a proof.
pub(crate) fn demanded(bound_only: bool, proof: Option<&VerifiedProof>) -> Result<(), Refused> {
    if bound_only && proof.is_none() {
        return Err(Refused::NoProof("the client"));
    }
    Ok(())
}

/// The key that the code of an authorization request is to be bound to.
// RFC 9449 section 10: dpop_jkt is a SHA-256 thumbprint of RFC 7638.
pub(crate) fn asked(config: &Config, params: &Params) -> Result<Option<String>, Refused> {
    // RFC 6749 section 3.1: a parameter that the server does not know is ignored.
    if config.dpop.is_none() {
        return Ok(None);
    }
    match params.get("dpop_jkt") {
        None => Ok(None),
        Some(jkt) if Thumbprint::parse(jkt).is_some() => Ok(Some(jkt.to_owned())),
        Some(_) => Err(Refused::KeyThumbprint),
    }
}
