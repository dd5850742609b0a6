//! One function for each rule about a JWT, in the order in which they are applied.

use std::borrow::Cow;

use oauth_rs::jose::jwt::{AccessTokenClaims, InvalidClaims};
use oauth_rs::jose::{Alg, AlgSet, Header, InvalidJws, Jws, UnverifiedClaims, Verified, typ_is};
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
    named: &str,
    issuers: &'i [TrustedIssuer],
) -> Result<(&'i TrustedIssuer, AlgSet), Reason> {
    issuers
        .iter()
        .find_map(|trusted| match trusted.validation {
            Validation::Jwt(algorithms) if trusted.issuer.as_str() == named => {
                Some((trusted, algorithms))
            }
            _ => None,
        })
        .ok_or_else(|| Reason::OtherIssuer {
            received: shortened(named),
        })
}

/// Who the token says has issued it, also where its other claims are not as they have to be: that is
/// said once somebody has signed them.
pub(crate) fn named_issuer<'j>(
    jws: &Jws<'_>,
    claims: &'j Result<UnverifiedClaims<'_>, InvalidClaims>,
) -> Result<Cow<'j, str>, Reason> {
    match claims {
        Ok(claims) => Ok(Cow::Borrowed(claims.issuer())),
        Err(_) => {
            let issuer = jws.unverified_issuer();
            issuer
                .map(Cow::Owned)
                .map_err(|reason| Reason::Claims { reason })
        }
    }
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
    /// One does.
    By(Verified<'j>),
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
            Ok(verified) => return Ok(Signature::By(verified)),
            Err(reason) => refusal = Some(Reason::Signature { reason }),
        }
    }
    // RFC 9700 and RFC 7517 section 5: a bad signature is no reason to fetch keys.
    refusal.map_or(Ok(Signature::NoKey), Err)
}

/// The claims, each with the type it must have, once their signature is verified.
// RFC 9068 section 2.2: iss, exp, aud, sub, client_id, iat and jti are REQUIRED.
pub(crate) fn read<'j>(
    claims: Result<UnverifiedClaims<'j>, InvalidClaims>,
    verified: Verified<'_>,
) -> Result<AccessTokenClaims<'j>, Reason> {
    let claims = claims.map_err(|reason| Reason::Claims { reason })?;
    // They are always those of this signature; were they not, nobody would have signed them.
    claims.verified_by(verified).ok_or(Reason::Unsigned)
}
