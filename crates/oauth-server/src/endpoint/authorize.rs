//! The authorization request: who asks, where the answer goes, and everything that can be refused before a person is bothered.

use oauth_rs::entropy::random_id;
use oauth_rs::params::{InvalidParams, MAX_PARAMS, Params};
use oauth_rs::uri::RedirectUri;

use super::consent;
use crate::check::client::KnownClient;
use crate::check::redirect_uri::{self, CheckedRedirectUri, Location};
use crate::check::{pkce, proof, resource, response_type, scope};
use crate::config::REQUEST_LIFETIME;
use crate::decision::{Decision, Present};
use crate::record;
use crate::refused::Refused;
use crate::store::{Key, Kind, Write};

/// An authorization request that names a client.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) client_id: String,
    params: Params,
    repeated: Option<String>,
}

/// What the person's browser does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Goes to the client, with a code or an error.
    Redirect(Location),
    /// Is shown the error, and where it would go: a stranger registered the address, and nobody has seen a page yet.
    Told(Box<Told>),
    /// Goes to the sign-in or consent page of this request.
    Wait(String),
}

/// An error that the person may take to the client, or not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) reason: Refused,
    pub(crate) client_name: Option<String>,
    pub(crate) address: RedirectUri,
    /// The address with the error in its query.
    pub(crate) link: Location,
}

/// Reads the parameters.
///
/// A parameter that occurs twice is remembered, since it is reported by redirect; unless it is one that says where to redirect.
///
/// # Errors
///
/// A reason that is shown to the person on a page.
pub(crate) fn parse(encoded: &[u8]) -> Result<Asked, Refused> {
    // RFC 8707 section 2: resource may occur more than once.
    let mut repeatable = vec!["resource".to_owned()];
    let mut repeated = None;
    let params = loop {
        let names: Vec<&str> = repeatable.iter().map(String::as_str).collect();
        match Params::parse_form(encoded, &names) {
            Ok(params) => break params,
            // RFC 6749 section 3.1: parameters MUST NOT be included more than once.
            Err(InvalidParams::Duplicate { name }) => {
                // Each name is met once, so that the number of parameters bounds the loop; a name that was cut short comes again.
                let untold = ["client_id", "redirect_uri"].contains(&name.as_str())
                    || repeatable.contains(&name)
                    || repeatable.len() > MAX_PARAMS;
                if untold {
                    return Err(Refused::Repeated { name });
                }
                repeated.get_or_insert_with(|| name.clone());
                repeatable.push(name);
            }
            Err(invalid) => return Err(invalid.into()),
        }
    };
    let client_id = params
        .get("client_id")
        .ok_or(Refused::Missing("client_id"))?
        .to_owned();
    Ok(Asked {
        client_id,
        params,
        repeated,
    })
}

/// Decides on a request of a client that is known.
///
/// A refusal that comes out is shown on a page; every other one goes to the client, by redirect or by a link.
pub(crate) fn decide(
    present: &Present<'_>,
    asked: &Asked,
    client: &KnownClient,
    browser: &str,
) -> Decision<Answer> {
    let sent = asked.params.get("redirect_uri");
    // OAuth 2.1 section 4.1.2.1: without a valid redirect address the person is told, and not redirected.
    let redirect = match redirect_uri::check(client, sent) {
        Ok(redirect) => redirect,
        Err(reason) => return Decision::refused(reason),
    };
    match check(present, asked, client, &redirect, browser) {
        Ok(request) => match &present.config.auto_consent {
            Some(person) => consent::allow(present, &request, person).map(Answer::Redirect),
            None if asked.params.get("prompt") == Some("none") => {
                // OpenID Connect Core section 3.1.2.6: login_required if a page would have to be shown.
                Decision::of(told(
                    present,
                    asked,
                    client,
                    &redirect,
                    Refused::LoginRequired,
                ))
            }
            None => {
                let id = random_id(present.entropy);
                let key = Key::new(Kind::Request, id.clone());
                Decision::of(Answer::Wait(id)).with(Write::Insert {
                    key,
                    record: request.into(),
                })
            }
        },
        Err(reason) => Decision::of(told(present, asked, client, &redirect, reason)),
    }
}

/// How the client is told of an error.
fn told(
    present: &Present<'_>,
    asked: &Asked,
    client: &KnownClient,
    redirect: &CheckedRedirectUri,
    reason: Refused,
) -> Answer {
    let issuer = present.config.issuer.as_str();
    let state = asked.state().unwrap_or_default();
    let link = redirect.refused(&reason, state, issuer);
    // RFC 9700 section 4.11.2: a request that is meant to fail must not bounce a browser to wherever a stranger likes.
    if redirect.is_on_this_computer() {
        return Answer::Redirect(link);
    }
    Answer::Told(Box::new(Told {
        reason,
        client_name: client.name.clone(),
        address: redirect.address().clone(),
        link,
    }))
}

/// The checks whose failure the client is told, in order.
fn check(
    present: &Present<'_>,
    asked: &Asked,
    client: &KnownClient,
    redirect: &CheckedRedirectUri,
    browser: &str,
) -> Result<record::Request, Refused> {
    if let Some(name) = &asked.repeated {
        return Err(Refused::Repeated { name: name.clone() });
    }
    let state = asked.state()?;
    response_type::check(&asked.params)?;
    let challenge = pkce::challenge(&asked.params)?;
    let resource = resource::check(present.config, &asked.params)?;
    let scope = scope::asked(resource, asked.params.get("scope"))?;
    let jkt = proof::asked(present.config, &asked.params)?;
    Ok(record::Request {
        client_id: client.id.clone(),
        client_name: client.name.clone(),
        redirect_uri: redirect.address().clone(),
        only_loopback: client.redirect_uris.iter().all(|uri| uri.is_loopback()),
        state: state.map(str::to_owned),
        challenge,
        scope,
        resource: resource.id.clone(),
        jkt,
        dpop_bound: client.dpop_bound,
        may_refresh: client.may_refresh,
        browser: browser.to_owned(),
        expires_at: present.now.after(REQUEST_LIFETIME),
    })
}

impl Asked {
    /// The state, which is sent back as it came, if it can be.
    fn state(&self) -> Result<Option<&str>, Refused> {
        // RFC 6749 section 3.1: one of two states cannot be the right one.
        if self.repeated.is_some() && self.params.all("state").count() > 1 {
            return Err(Refused::State);
        }
        match self.params.get("state") {
            // RFC 6749 appendix A.5: state = 1*VSCHAR.
            Some(state) if !state.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) => {
                Err(Refused::State)
            }
            state => Ok(state),
        }
    }
}
