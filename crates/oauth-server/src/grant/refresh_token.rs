//! A refresh token becomes new tokens and its own successor; what reuse does.
//!
//! A public client cannot prove that a token is its own, so every token is good once (RFC 9700 section 4.14.2).
//! A client that lost the answer, or that refreshed twice at once, comes back with the spent token.
//! For a few seconds it gets the same successor again, which the server makes from the token and a salt, and a fresh access token.
//! So there is never a second line of tokens in the family: whoever comes later, or after the successor was used, ends the grant.

use oauth_rs::entropy::random_id;
use oauth_rs::jose::dpop::VerifiedProof;
use oauth_rs::params::Params;
use oauth_rs::scope::ScopeSet;
use oauth_rs::secret::Secret;

use crate::check::{proof, resource, scope};
use crate::config::MAX_OVERLAP;
use crate::decision::{Decision, Found, Present};
use crate::event::Event;
use crate::record::{Grant, RefreshToken, Spent};
use crate::refused::Refused;
use crate::store::{Key, Kind, Write};
use crate::token;

/// What a refresh depends on.
pub(crate) struct Records {
    pub(crate) token: Option<Found<RefreshToken>>,
    pub(crate) grant: Option<Found<Grant>>,
    /// The token that came after this one, if it was spent.
    pub(crate) successor: Option<Found<RefreshToken>>,
}

/// The token as the client presented it.
pub(crate) fn presented(params: &Params) -> Result<&str, Refused> {
    params
        .get("refresh_token")
        .ok_or(Refused::Missing("refresh_token"))
}

/// The name of the token's record.
pub(crate) fn need(present: &Present<'_>, token: &str) -> Key {
    token::filed(&present.config.keys.hash, Kind::RefreshToken, token)
}

/// Refreshes.
pub(crate) fn decide(
    present: &Present<'_>,
    client_id: &str,
    params: &Params,
    proof: Option<&VerifiedProof>,
    records: &Records,
) -> Decision<token::TokenResponse> {
    let checked = match check(present, client_id, params, proof, records) {
        Ok(checked) => checked,
        Err(reason) => return Decision::refused(reason),
    };
    match &checked.token.record.spent {
        // RFC 9700 section 4.14.2: the server cannot tell the thief from the client, so both lose.
        Some(spent) if !overlaps(present, spent, records) => {
            Decision::refused(Refused::RefreshReused)
                .telling_reuse(client_id, &checked)
                .and_end(present, checked.grant)
        }
        Some(spent) => again(present, client_id, &checked, spent),
        None if checked.token.record.expires_at <= present.now => {
            Decision::refused(Refused::RefreshExpired)
        }
        None => rotate(present, client_id, &checked),
    }
}

/// A request that is right in every point but time and use.
struct Checked<'a> {
    presented: &'a str,
    token: &'a Found<RefreshToken>,
    grant: &'a Found<Grant>,
    /// The token that came after this one, if it was spent.
    successor: Option<&'a Found<RefreshToken>>,
    scope: ScopeSet,
    /// The key that the new tokens are bound to.
    jkt: Option<&'a str>,
}

impl Checked<'_> {
    fn issue<'a>(&'a self, next: &'a Secret) -> token::Issue<'a> {
        token::Issue {
            grant_id: self.grant.key.id(),
            grant: &self.grant.record,
            scope: &self.scope,
            refresh: Some(next),
            jkt: self.jkt,
        }
    }
}

fn check<'a>(
    present: &Present<'_>,
    client_id: &str,
    params: &'a Params,
    proof: Option<&'a VerifiedProof>,
    records: &'a Records,
) -> Result<Checked<'a>, Refused> {
    let presented = presented(params)?;
    let token = records.token.as_ref().ok_or(Refused::RefreshUnknown)?;
    // RFC 6749 section 6: bound to the client to which it was issued.
    if token.record.client_id != client_id {
        return Err(Refused::RefreshOfAnother);
    }
    // RFC 9449 section 5: bound to the key; nothing is spent or ended by whoever does not hold it.
    // A token that was not bound may have a successor that is.
    let successor = records.successor.as_ref().map(|next| &next.record);
    for bound in [Some(&token.record), successor].into_iter().flatten() {
        proof::holds("the refresh token", bound.jkt.as_deref(), proof)?;
    }
    let grant = records.grant.as_ref().ok_or(Refused::GrantOver)?;
    if !grant.record.is_live(present.now) {
        return Err(Refused::GrantOver);
    }
    // RFC 8707 section 2.2: not for a resource that was not granted; nothing is spent on the attempt.
    if !resource::stays(grant.record.resource.as_str(), params) {
        return Err(Refused::RefreshResource);
    }
    let scope = scope::narrowed(&grant.record.scope, params.get("scope"))?;
    Ok(Checked {
        presented,
        token,
        grant,
        successor: records.successor.as_ref(),
        scope,
        jkt: proof.map(VerifiedProof::jkt),
    })
}

/// Whether the client may be one that lost the answer: soon after, and the successor unused.
fn overlaps(present: &Present<'_>, spent: &Spent, records: &Records) -> bool {
    let overlap = present.config.lifetimes.refresh_overlap.min(MAX_OVERLAP);
    let unused = records
        .successor
        .as_ref()
        .is_some_and(|next| next.key.id() == spent.successor && next.record.spent.is_none());
    // A clock that was set back must not make the overlap longer, nor a second's difference a thief of the client.
    unused && present.now.since(spent.at) < overlap && spent.at.since(present.now) < overlap
}

/// Answers once more with the successor that exists already, and binds it if a proof came this time.
fn again(
    present: &Present<'_>,
    client_id: &str,
    checked: &Checked<'_>,
    spent: &Spent,
) -> Decision<token::TokenResponse> {
    let next = token::successor(&present.config.keys.hash, checked.presented, &spent.salt);
    match token::answer(present, &checked.issue(&next)) {
        Err(reason) => Decision::refused(reason),
        // A revocation that came first wins.
        Ok(answer) => {
            let decision = Decision::of(answer).with(checked.grant.unchanged());
            bound_by_now(decision, checked).telling(Event::RefreshRepeated {
                client_id: client_id.to_owned(),
                grant_id: checked.grant.key.id().to_owned(),
            })
        }
    }
}

// RFC 9449 section 5: with a proof the refresh token that is handed out MUST be bound.
fn bound_by_now(
    decision: Decision<token::TokenResponse>,
    checked: &Checked<'_>,
) -> Decision<token::TokenResponse> {
    let unbound = checked.successor.filter(|next| next.record.jkt.is_none());
    match (unbound, checked.jkt) {
        (Some(next), Some(jkt)) => decision.with(next.replaced_by(RefreshToken {
            jkt: Some(jkt.to_owned()),
            ..next.record.clone()
        })),
        _ => decision,
    }
}

fn rotate(
    present: &Present<'_>,
    client_id: &str,
    checked: &Checked<'_>,
) -> Decision<token::TokenResponse> {
    let Present {
        config,
        now,
        entropy,
    } = *present;
    let grant = &checked.grant.record;
    let salt = random_id(entropy);
    let next = token::successor(&config.keys.hash, checked.presented, &salt);
    let key = token::filed(&config.keys.hash, Kind::RefreshToken, next.expose());
    let answer = match token::answer(present, &checked.issue(&next)) {
        Ok(answer) => answer,
        Err(reason) => return Decision::refused(reason),
    };
    let spent = RefreshToken {
        spent: Some(Spent {
            at: now,
            salt,
            successor: key.id().to_owned(),
        }),
        ..checked.token.record.clone()
    };
    let successor = RefreshToken {
        // RFC 9449 section 5: with a proof the new token is bound, whether or not the old one was.
        jkt: checked.jkt.map(str::to_owned),
        expires_at: token::refresh_expires_at(config, grant, now),
        spent: None,
        ..checked.token.record.clone()
    };
    Decision::of(answer)
        .with(checked.token.replaced_by(spent))
        .with(Write::Insert {
            key,
            record: successor.into(),
        })
        // A revocation that came first wins.
        .with(checked.grant.unchanged())
        .telling(Event::Refreshed {
            client_id: client_id.to_owned(),
            grant_id: checked.grant.key.id().to_owned(),
        })
}

impl Decision<token::TokenResponse> {
    fn telling_reuse(self, client_id: &str, checked: &Checked<'_>) -> Self {
        self.telling(Event::RefreshTokenReused {
            client_id: client_id.to_owned(),
            grant_id: checked.grant.key.id().to_owned(),
        })
    }

    fn and_end(self, present: &Present<'_>, grant: &Found<Grant>) -> Self {
        super::end(self, present, grant)
    }
}
