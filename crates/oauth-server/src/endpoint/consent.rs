//! The person's decision, and the code that comes of a yes.

use oauth_rs::entropy::{random_id, random_secret};
use oauth_rs::hash::HashKey;
use oauth_rs::secret::Secret;

use super::sign_in::{Browser, SignedIn};
use crate::check::redirect_uri::{CheckedRedirectUri, Location};
use crate::config::{CODE_LIFETIME, CODE_MEMORY};
use crate::decision::{Decision, Found, Present};
use crate::event::Event;
use crate::record;
use crate::refused::Refused;
use crate::store::{Kind, Write};
use crate::token;

/// The token that the consent form of this request carries in this browser, for this sign-in.
pub(crate) fn csrf(
    hash: &HashKey,
    browser: &Browser,
    session: &Secret,
    request_id: &str,
) -> Secret {
    let texts = [browser.expose(), session.expose(), request_id];
    Secret::new(token::keyed(hash, "csrf consent", &texts))
}

/// What a consent form says.
pub(crate) struct Form<'a> {
    pub(crate) csrf: Option<&'a str>,
    pub(crate) decision: Option<&'a str>,
}

/// Decides on a consent form: the address that the browser is sent to.
pub(crate) fn decide(
    present: &Present<'_>,
    request: Option<&Found<record::Request>>,
    browser: Option<&Browser>,
    signed_in: Option<&SignedIn>,
    form: &Form<'_>,
) -> Decision<Location> {
    let checked =
        super::sign_in::waiting(present, request, browser).and_then(|(waiting, browser)| {
            let signed_in = signed_in.ok_or(Refused::Forged)?;
            let hash = &present.config.keys.hash;
            let expected = csrf(hash, browser, &signed_in.cookie, waiting.key.id());
            // OAuth 2.1 section 7.12: a decision is the person's only if the form was made for this browser and sign-in.
            if !form.csrf.is_some_and(|sent| expected.ct_eq(sent)) {
                return Err(Refused::Forged);
            }
            Ok((waiting, signed_in))
        });
    let (waiting, signed_in) = match checked {
        Ok(checked) => checked,
        Err(reason) => return Decision::refused(reason),
    };
    let decision = match form.decision {
        Some("allow") => allow(present, &waiting.record, &signed_in.person),
        Some("deny") => deny(present, &waiting.record, &signed_in.person),
        Some(_) | None => return Decision::refused(Refused::DecisionUnknown),
    };
    // A request is answered once.
    decision.with(waiting.deleted())
}

/// Issues a code for what a person allowed.
pub(crate) fn allow(
    present: &Present<'_>,
    request: &record::Request,
    person: &str,
) -> Decision<Location> {
    let Present {
        config,
        now,
        entropy,
    } = *present;
    let code = random_secret(entropy);
    let grant_id = random_id(entropy);
    let expires_at = now.after(CODE_LIFETIME);
    let record = record::Code {
        client_id: request.client_id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.challenge.clone(),
        scope: request.scope.clone(),
        resource: request.resource.clone(),
        person: person.to_owned(),
        grant_id: grant_id.clone(),
        jkt: request.jkt.clone(),
        dpop_bound: request.dpop_bound,
        may_refresh: request.may_refresh,
        expires_at,
        spent_at: None,
        keep_until: expires_at.after(CODE_MEMORY),
    };
    let key = token::filed(&config.keys.hash, Kind::Code, code.expose());
    let redirect = CheckedRedirectUri::waiting(request);
    let issuer = config.issuer.as_str();
    // RFC 6749 section 4.1.2: code, and state if it was sent; RFC 9207 section 2: iss.
    let location = redirect.answered(&[("code", code.expose())], request.state.as_deref(), issuer);
    Decision::of(location)
        .with(Write::Insert {
            key,
            record: record.into(),
        })
        .telling(Event::ConsentGiven {
            person: person.to_owned(),
            client_id: request.client_id.clone(),
            grant_id,
        })
}

fn deny(present: &Present<'_>, request: &record::Request, person: &str) -> Decision<Location> {
    let redirect = CheckedRedirectUri::waiting(request);
    let issuer = present.config.issuer.as_str();
    // RFC 6749 section 4.1.2.1: access_denied if the resource owner refused.
    let location = redirect.refused(&Refused::Denied, request.state.as_deref(), issuer);
    Decision::of(location).telling(Event::ConsentRefused {
        person: person.to_owned(),
        client_id: request.client_id.clone(),
    })
}
