//! A code becomes tokens: once, for the client, the address, the verifier and the resource that it is bound to.

use oauth_rs::entropy::random_secret;
use oauth_rs::jose::dpop::VerifiedProof;
use oauth_rs::params::Params;

use crate::check::{pkce, proof, resource};
use crate::config::CODE_MEMORY;
use crate::decision::{Decision, Found, Present};
use crate::event::Event;
use crate::record::{Client, Code, Grant, RefreshToken};
use crate::refused::Refused;
use crate::store::{Key, Kind, Write};
use crate::token;

/// What a redemption depends on.
pub(crate) struct Records {
    /// The registration, for a client that has one.
    pub(crate) client: Option<Found<Client>>,
    pub(crate) code: Option<Found<Code>>,
    /// The grant of the code, which exists once the code was redeemed.
    pub(crate) grant: Option<Found<Grant>>,
}

/// The name of the code's record.
pub(crate) fn need(present: &Present<'_>, params: &Params) -> Result<Key, Refused> {
    let code = params.get("code").ok_or(Refused::Missing("code"))?;
    Ok(token::filed(&present.config.keys.hash, Kind::Code, code))
}

/// Redeems a code.
///
/// The order is the security argument: whatever is wrong with a request is found before anything is spent, and nothing but a request that is right in every point ends a grant.
pub(crate) fn decide(
    present: &Present<'_>,
    client_id: &str,
    params: &Params,
    proof: Option<&VerifiedProof>,
    records: &Records,
) -> Decision<token::TokenResponse> {
    match check(client_id, params, proof, records) {
        Err(reason) => Decision::refused(reason),
        Ok(code) if code.record.spent_at.is_some() => replayed(present, client_id, code, records),
        // OAuth 2.1 section 4.1.3: the code must not have expired.
        Ok(code) if code.record.expires_at <= present.now => {
            Decision::refused(Refused::CodeExpired)
        }
        Ok(code) => redeem(present, client_id, code, proof, records),
    }
}

/// Whether the request is right in every point but time and use.
fn check<'a>(
    client_id: &str,
    params: &Params,
    proof: Option<&VerifiedProof>,
    records: &'a Records,
) -> Result<&'a Found<Code>, Refused> {
    let found = records.code.as_ref().ok_or(Refused::CodeUnknown)?;
    let code = &found.record;
    // RFC 6749 section 4.1.3: the code was issued to this client.
    if code.client_id != client_id {
        return Err(Refused::CodeOfAnother);
    }
    // OAuth 2.1 section 10.2: redirect_uri need not be sent; if it is, it is the same.
    if params
        .get("redirect_uri")
        .is_some_and(|sent| sent != code.redirect_uri.as_str())
    {
        return Err(Refused::CodeRedirectUri);
    }
    pkce::verifier(&code.challenge, params.get("code_verifier"))?;
    // RFC 8707 section 2.2: not for a resource that was not granted.
    if !resource::stays(code.resource.as_str(), params) {
        return Err(Refused::CodeResource);
    }
    // What the client asked for when it sent the person here holds, also if its document cannot be had now.
    proof::demanded(code.dpop_bound, proof)?;
    proof::holds("the code", code.jkt.as_deref(), proof)?;
    Ok(found)
}

// RFC 6749 section 4.1.2: a second use MUST be denied, and all tokens from the code SHOULD be revoked.
fn replayed(
    present: &Present<'_>,
    client_id: &str,
    code: &Found<Code>,
    records: &Records,
) -> Decision<token::TokenResponse> {
    let refused = Decision::refused(Refused::CodeReplayed);
    match &records.grant {
        Some(grant) if grant.record.revoked_at.is_none() => {
            let told = refused.telling(Event::CodeReplayed {
                client_id: client_id.to_owned(),
                grant_id: code.record.grant_id.clone(),
            });
            super::end(told, present, grant)
        }
        Some(_) | None => refused,
    }
}

fn redeem(
    present: &Present<'_>,
    client_id: &str,
    found: &Found<Code>,
    proof: Option<&VerifiedProof>,
    records: &Records,
) -> Decision<token::TokenResponse> {
    let Present {
        config,
        now,
        entropy,
    } = *present;
    let code = &found.record;
    let grant = Grant {
        client_id: client_id.to_owned(),
        person: code.person.clone(),
        scope: code.scope.clone(),
        resource: code.resource.clone(),
        created_at: now,
        expires_at: now.after(config.lifetimes.grant),
        revoked_at: None,
    };
    let refresh = code.may_refresh.then(|| random_secret(entropy));
    let jkt = proof.map(VerifiedProof::jkt);
    let issue = token::Issue {
        grant_id: &code.grant_id,
        grant: &grant,
        scope: &code.scope,
        refresh: refresh.as_ref(),
        jkt,
    };
    let answer = match token::answer(present, &issue) {
        Ok(answer) => answer,
        Err(reason) => return Decision::refused(reason),
    };
    let spent = Code {
        spent_at: Some(now),
        keep_until: code.expires_at.after(CODE_MEMORY),
        ..code.clone()
    };
    let mut decision = Decision::of(answer).with(found.replaced_by(spent));
    if let Some(refresh) = &refresh {
        let record = RefreshToken {
            grant_id: code.grant_id.clone(),
            client_id: client_id.to_owned(),
            // RFC 9449 section 5: the refresh token of a public client MUST be bound to the key.
            jkt: jkt.map(str::to_owned),
            expires_at: token::refresh_expires_at(config, &grant, now),
            spent: None,
            keep_until: grant.expires_at,
        };
        let key = token::filed(&config.keys.hash, Kind::RefreshToken, refresh.expose());
        decision = decision.with(Write::Insert {
            key,
            record: record.into(),
        });
    }
    // A registration that was used does not lapse any more.
    if let Some(client) = records
        .client
        .as_ref()
        .filter(|c| c.record.expires_at.is_some())
    {
        let used = Client {
            expires_at: None,
            ..client.record.clone()
        };
        decision = decision.with(client.replaced_by(used));
    }
    let grant_id = code.grant_id.clone();
    let key = Key::new(Kind::Grant, grant_id.clone());
    decision
        .with(Write::Insert {
            key,
            record: grant.into(),
        })
        .telling(Event::CodeRedeemed {
            client_id: client_id.to_owned(),
            grant_id,
        })
}
