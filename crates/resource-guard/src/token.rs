//! The rules about what a token says, however it was validated, in the order in which they are applied.

use std::time::Duration;

use oauth_rs::introspection::{ActiveToken, Introspection};
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::ResourceId;

use crate::issuer::TrustedIssuer;
use crate::principal::Subject;
use crate::reason::{Reason, shortened};
use crate::said::Said;

/// What the issuer that was asked says of the token, if it calls it active.
pub(crate) fn active<'a>(
    answer: &'a Introspection,
    trusted: &TrustedIssuer,
) -> Result<&'a ActiveToken, Reason> {
    let token = match answer {
        // RFC 7662 section 2.2: whatever else it says, an inactive token is not good.
        Introspection::Inactive => {
            return Err(Reason::Inactive {
                issuer: trusted.issuer.clone(),
            });
        }
        Introspection::Active(token) => token,
    };
    check_token_type(token)?;
    // RFC 7662 section 2.2: `iss` is optional; if there, it is who was asked.
    match &token.iss {
        Some(iss) if iss != trusted.issuer.as_str() => Err(Reason::OtherIssuer {
            received: shortened(iss),
        }),
        _ => Ok(token),
    }
}

// RFC 9449 section 6.2: `token_type` of a token bound to a key, if there, MUST be DPoP. Servers also
// call refresh tokens active; their type is another one.
fn check_token_type(token: &ActiveToken) -> Result<(), Reason> {
    let is_bound = token.cnf.as_ref().is_some_and(|cnf| cnf.jkt.is_some());
    let expected = if is_bound { "DPoP" } else { "Bearer" };
    match &token.token_type {
        Some(token_type) if !token_type.eq_ignore_ascii_case(expected) => {
            Err(Reason::OtherTokenType {
                token_type: shortened(token_type),
            })
        }
        _ => Ok(()),
    }
}

// RFC 9068 section 4: `aud` MUST contain the identifier of this resource; compared exactly. The same
// holds for a token that its issuer calls active: it is asked about the tokens of others as well.
pub(crate) fn check_audience(
    token: &Said<'_>,
    trusted: &TrustedIssuer,
    resources: &[ResourceId],
) -> Result<(), Reason> {
    let is_ours = |audience: &str| resources.iter().any(|own| own.as_str() == audience);
    if trusted.any_audience || token.audience.any(is_ours) {
        return Ok(());
    }
    Err(Reason::OtherAudience {
        received: shortened(&token.audience.joined()),
    })
}

/// Whether the token may go on to the service behind the guard, as its issuer's configuration says.
///
/// A bound token is of no use to anybody but its holder, and stays here.
pub(crate) fn is_passed_on(token: &Said<'_>, trusted: &TrustedIssuer) -> bool {
    let Some(audience) = &trusted.passes_on else {
        return false;
    };
    let is_for_it = || token.audience.any(|one| one == audience);
    token.cnf.is_none() && (trusted.any_audience || is_for_it())
}

// RFC 7519 section 4.1.4: the current time MUST be before `exp`, some leeway aside.
pub(crate) fn check_expiry(
    exp: Option<UnixSeconds>,
    now: UnixSeconds,
    skew: Duration,
) -> Result<(), Reason> {
    match exp {
        Some(exp) if now >= exp.after(skew) => Err(Reason::Expired {
            ago: now.since(exp),
        }),
        _ => Ok(()),
    }
}

// RFC 7519 section 4.1.5: the current time MUST be after or equal to `nbf`, some leeway aside.
pub(crate) fn check_not_before(
    nbf: Option<UnixSeconds>,
    now: UnixSeconds,
    skew: Duration,
) -> Result<(), Reason> {
    match nbf {
        Some(nbf) if nbf > now.after(skew) => Err(Reason::NotYetValid {
            ahead: nbf.since(now),
        }),
        _ => Ok(()),
    }
}

/// Whom the token speaks for; what names somebody has to name somebody.
pub(crate) fn check_named(token: &Said<'_>) -> Result<Subject, Reason> {
    // RFC 9068 section 2.2: these three are REQUIRED; empty ones identify nothing.
    for (claim, value) in [
        ("sub", token.sub),
        ("client_id", token.client_id),
        ("jti", token.jti),
    ] {
        if value.is_some_and(str::is_empty) {
            return Err(Reason::EmptyClaim { claim });
        }
    }
    // RFC 7662 section 2.2: an answer need not name a subject; then the client speaks for itself.
    match (token.sub, token.client_id) {
        (Some(sub), _) => Ok(Subject::Named(sub.to_owned())),
        (None, Some(client)) => Ok(Subject::Client(client.to_owned())),
        (None, None) => Err(Reason::MissingMember { member: "sub" }),
    }
}

// RFC 9068 section 2.2.3: `scope` is scope text as RFC 8693 section 4.2 has it.
pub(crate) fn read_scopes(token: &Said<'_>) -> Result<ScopeSet, Reason> {
    let text = token.scope.unwrap_or_default();
    ScopeSet::parse(text).map_err(|reason| Reason::Scope { reason })
}
