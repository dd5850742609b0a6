//! One function for each rule about a JWT, in the order in which they are applied.

use std::borrow::Cow;

use oauth_rs::introspection::ActiveToken;
use oauth_rs::jose::jwt::AccessTokenClaims;
use oauth_rs::jose::{Alg, AlgSet, Header, InvalidJws, Jws, typ_is};
use oauth_rs::uri::Issuer;

use crate::issuer::{TrustedIssuer, Validation};
use crate::keys::KeySnapshot;
use crate::reason::{Reason, shortened};

/// Reads the compact form.
pub(crate) fn parse(token: &str) -> Result<Jws<'_>, Reason> {
    Jws::parse(token).map_err(|reason| match reason {
        // RFC 9068 section 4: the resource MUST reject any token with `none`.
        InvalidJws::Unsigned => Reason::Unsigned,
        reason => Reason::Malformed { reason },
    })
}

// RFC 9068 section 4: `typ` MUST be at+jwt or application/at+jwt, all else is rejected.
pub(crate) fn check_type(header: &Header) -> Result<(), Reason> {
    match header.typ.as_deref() {
        Some(typ) if typ_is(typ, "at+jwt") => Ok(()),
        other => Err(Reason::OtherType {
            typ: other.map(shortened),
        }),
    }
}

/// The issuer whose keys have to verify the token, and the algorithms it may sign with.
// RFC 9068 section 4: `iss` MUST exactly match the issuer. Choosing the keys by it means that keys
// of one issuer are never tried on the token of another, whatever their ids are.
pub(crate) fn find_issuer<'i>(
    jws: &Jws<'_>,
    issuers: &'i [TrustedIssuer],
) -> Result<(&'i TrustedIssuer, AlgSet), Reason> {
    let named = jws
        .unverified_issuer()
        .map_err(|reason| Reason::Claims { reason })?;
    issuers
        .iter()
        .find_map(|trusted| match trusted.validation {
            Validation::Jwt(algorithms) if trusted.issuer.as_str() == named => {
                Some((trusted, algorithms))
            }
            _ => None,
        })
        .ok_or_else(|| Reason::OtherIssuer {
            received: shortened(&named),
        })
}

// RFC 8725 section 3.1: only algorithms that the configuration names are used.
pub(crate) fn check_algorithm(
    header: &Header,
    issuer: &Issuer,
    allowed: AlgSet,
) -> Result<Alg, Reason> {
    header
        .alg()
        .filter(|alg| allowed.contains(*alg))
        .ok_or_else(|| Reason::Algorithm {
            issuer: issuer.clone(),
            alg: shortened(header.alg_name()),
        })
}

/// What came of looking for a key that verifies the token.
pub(crate) enum Signature<'j> {
    /// One did.
    Verified(&'j [u8]),
    /// There is no key of this id for this algorithm.
    NoKey,
}

// RFC 9068 section 4: the signature MUST be validated with the keys of the issuer.
pub(crate) fn check_signature<'j>(
    jws: &'j Jws<'_>,
    alg: Alg,
    issuer: &Issuer,
    keys: &KeySnapshot,
) -> Result<Signature<'j>, Reason> {
    let kid = jws.header().kid.as_deref();
    let mut refusal = None;
    for key in keys.candidates(issuer, kid, alg) {
        match jws.verify(key, AlgSet::NONE.with(alg)) {
            Ok(verified) => return Ok(Signature::Verified(verified.payload())),
            Err(reason) => refusal = Some(Reason::Signature { reason }),
        }
    }
    // RFC 9700 and RFC 7517 section 5: a bad signature is no reason to fetch keys.
    refusal.map_or(Ok(Signature::NoKey), Err)
}

/// Reads the claims, each with the type it must have.
// RFC 9068 section 2.2: iss, exp, aud, sub, client_id, iat and jti are REQUIRED.
pub(crate) fn read(payload: &[u8]) -> Result<ActiveToken, Reason> {
    let claims = AccessTokenClaims::parse(payload).map_err(|reason| Reason::Claims { reason })?;
    Ok(ActiveToken {
        iss: Some(claims.iss.into_owned()),
        sub: Some(claims.sub.into_owned()),
        aud: claims.aud.into_iter().map(Cow::into_owned).collect(),
        client_id: Some(claims.client_id.into_owned()),
        scope: claims.scope.map(Cow::into_owned),
        token_type: None,
        exp: Some(claims.exp),
        iat: Some(claims.iat),
        nbf: claims.nbf,
        jti: Some(claims.jti.into_owned()),
        grant_id: claims.grant_id.map(Cow::into_owned),
        cnf: claims.cnf,
        act: claims.act,
        acr: claims.acr.map(Cow::into_owned),
        auth_time: claims.auth_time,
    })
}
