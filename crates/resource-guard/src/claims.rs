//! One function for each rule about a token, in the order in which they are applied.

use std::time::Duration;

use oauth_rs::jose::jwt::AccessTokenClaims;
use oauth_rs::jose::{Alg, Header, InvalidJws, Jws, Verified, typ_is};
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{Issuer, ResourceId};

use crate::config::TrustedIssuer;
use crate::keys::KeySnapshot;
use crate::refused::{Refused, shortened};

/// Reads the compact form.
pub(crate) fn parse(token: &str) -> Result<Jws<'_>, Refused> {
    Jws::parse(token).map_err(|reason| match reason {
        // RFC 9068 section 4: the resource MUST reject any token with `none`.
        InvalidJws::Unsigned => Refused::Unsigned,
        reason => Refused::Malformed { reason },
    })
}

// RFC 9068 section 4: `typ` MUST be at+jwt or application/at+jwt, all else is rejected.
pub(crate) fn check_type(header: &Header) -> Result<(), Refused> {
    match header.typ.as_deref() {
        Some(typ) if typ_is(typ, "at+jwt") => Ok(()),
        other => Err(Refused::OtherType {
            typ: other.map(shortened),
        }),
    }
}

// RFC 8725 section 3.1: only algorithms that the configuration names are used.
pub(crate) fn check_algorithm(header: &Header, issuers: &[TrustedIssuer]) -> Result<Alg, Refused> {
    header
        .alg()
        .filter(|alg| {
            issuers
                .iter()
                .any(|trusted| trusted.algorithms.contains(*alg))
        })
        .ok_or_else(|| Refused::Algorithm {
            alg: shortened(header.alg_name()),
        })
}

/// A payload whose signature was verified, and the issuer whose key did it.
pub(crate) struct Signed<'a> {
    issuer: &'a Issuer,
    payload: Verified<'a>,
}

// RFC 9068 section 4: the signature MUST be validated with the keys of the issuer.
pub(crate) fn check_signature<'a>(
    jws: &'a Jws<'_>,
    alg: Alg,
    issuers: &'a [TrustedIssuer],
    keys: &KeySnapshot,
) -> Result<Signed<'a>, Refused> {
    let kid = jws.header().kid.as_deref();
    let mut refusal = Refused::UnknownKey {
        kid: kid.map(shortened),
    };
    for (trusted, key) in keys.candidates(issuers, kid, alg) {
        match jws.verify(key, trusted.algorithms) {
            Ok(payload) => {
                return Ok(Signed {
                    issuer: &trusted.issuer,
                    payload,
                });
            }
            Err(reason) => refusal = Refused::Signature { reason },
        }
    }
    Err(refusal)
}

/// Reads the claims, each with the type it must have.
pub(crate) fn read<'a>(signed: &Signed<'a>) -> Result<AccessTokenClaims<'a>, Refused> {
    // A token that is bound to a key (`cnf`) is refused here too: no proof of that key is read.
    // RFC 9068 section 2.2: iss, exp, aud, sub, client_id, iat and jti are REQUIRED.
    AccessTokenClaims::parse(signed.payload.payload()).map_err(|reason| Refused::Claims { reason })
}

// RFC 9068 section 4: `iss` MUST exactly match the issuer, here the one whose key verified it.
pub(crate) fn check_issuer<'a>(
    claims: &AccessTokenClaims<'_>,
    signed: &Signed<'a>,
) -> Result<&'a Issuer, Refused> {
    if claims.iss == signed.issuer.as_str() {
        return Ok(signed.issuer);
    }
    Err(Refused::OtherIssuer {
        expected: signed.issuer.clone(),
        received: shortened(&claims.iss),
    })
}

// RFC 9068 section 4: `aud` MUST contain the identifier of this resource; compared exactly.
pub(crate) fn check_audience(
    claims: &AccessTokenClaims<'_>,
    resource: &ResourceId,
) -> Result<(), Refused> {
    if claims
        .aud
        .iter()
        .any(|audience| audience == resource.as_str())
    {
        return Ok(());
    }
    Err(Refused::OtherAudience {
        expected: resource.clone(),
        received: shortened(&claims.aud.join(" ")),
    })
}

// RFC 7519 section 4.1.4: the current time MUST be before `exp`, some leeway aside.
pub(crate) fn check_expiry(
    claims: &AccessTokenClaims<'_>,
    now: UnixSeconds,
    skew: Duration,
) -> Result<(), Refused> {
    if now < claims.exp.after(skew) {
        return Ok(());
    }
    Err(Refused::Expired {
        ago: now.since(claims.exp),
    })
}

// RFC 7519 section 4.1.5: the current time MUST be after or equal to `nbf`, some leeway aside.
pub(crate) fn check_not_before(
    claims: &AccessTokenClaims<'_>,
    now: UnixSeconds,
    skew: Duration,
) -> Result<(), Refused> {
    match claims.nbf {
        Some(nbf) if nbf > now.after(skew) => Err(Refused::NotYetValid {
            ahead: nbf.since(now),
        }),
        _ => Ok(()),
    }
}

/// A claim that names somebody has to name somebody.
pub(crate) fn check_named(claims: &AccessTokenClaims<'_>) -> Result<(), Refused> {
    // RFC 9068 section 2.2: these three are REQUIRED; empty ones identify nothing.
    for (claim, value) in [
        ("sub", &claims.sub),
        ("client_id", &claims.client_id),
        ("jti", &claims.jti),
    ] {
        if value.is_empty() {
            return Err(Refused::EmptyClaim { claim });
        }
    }
    Ok(())
}

// RFC 9068 section 2.2.3: `scope` is scope text as RFC 8693 section 4.2 has it.
pub(crate) fn read_scopes(claims: &AccessTokenClaims<'_>) -> Result<ScopeSet, Refused> {
    let text = claims.scope.as_deref().unwrap_or_default();
    ScopeSet::parse(text).map_err(|reason| Refused::Scope { reason })
}
