//! The shells of the pages between the authorization request and its answer: sign-in and consent.

use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode, header};
use oauth_rs::media_type;
use oauth_rs::params::Params;

use super::cookie::Cookie;
use super::transact::{ATTEMPTS, commit, find};
use super::{front, respond};
use crate::decision::Found;
use crate::endpoint::consent;
use crate::endpoint::metadata::path;
use crate::endpoint::sign_in::{self, Browser, SignedIn};
use crate::event::Event;
use crate::identity::Person;
use crate::page;
use crate::record::{Request, Session};
use crate::refused::Refused;
use crate::server::Server;
use crate::store::{Key, Kind};
use crate::token::filed;

/// What a browser brings along: its cookies, and the request that its page is about.
struct Visit {
    request: Option<Found<Request>>,
    browser: Option<Browser>,
    session: Option<Found<Session>>,
    /// Who is signed in, if it is somebody who is still known.
    signed_in: Option<(SignedIn, Person)>,
}

impl Visit {
    async fn of(server: &Server, parts: &Parts, request: &str) -> Result<Self, Refused> {
        let key = Key::new(Kind::Request, request);
        let request = find(server, &key, Request::from_record).await?;
        let browser = Cookie::Browser
            .read(server, &parts.headers)
            .map(Browser::of);
        let cookie = Cookie::Session.read(server, &parts.headers);
        let session = match &cookie {
            None => None,
            Some(cookie) => {
                let key = filed(&server.config.keys.hash, Kind::Session, cookie.expose());
                find(server, &key, Session::from_record).await?
            }
        };
        let signed_in =
            cookie.and_then(|cookie| SignedIn::check(&server.present(), &cookie, session.as_ref()));
        let person = match &signed_in {
            Some(signed_in) => server.seams.identity.person(&signed_in.person).await,
            None => None,
        };
        let signed_in = signed_in.zip(person);
        Ok(Self {
            request,
            browser,
            session,
            signed_in,
        })
    }

    fn waiting(&self, server: &Server) -> Result<(&Found<Request>, &Browser), Refused> {
        sign_in::waiting(
            &server.present(),
            self.request.as_ref(),
            self.browser.as_ref(),
        )
    }
}

/// `GET /sign-in`: the picker.
pub(super) async fn sign_in_page(server: &Server, parts: &Parts) -> Response<Bytes> {
    let page = async {
        let id = asked(parts)?;
        let visit = Visit::of(server, parts, &id).await?;
        let (request, browser) = visit.waiting(server)?;
        let people = server.seams.identity.people().await;
        let csrf = sign_in::csrf(&server.config.keys.hash, browser, &id);
        let action = front::path(server, path::SIGN_IN);
        page::sign_in(&action, &id, &request.record, &people, &csrf)
    };
    match page.await {
        Ok(page) => respond::page(StatusCode::OK, page),
        Err(reason) => respond::wrong(&reason),
    }
}

/// `POST /sign-in`: somebody was picked.
pub(super) async fn sign_in(server: &Server, parts: &Parts, body: &Bytes) -> Response<Bytes> {
    let signed_in = async {
        let form = form(server, parts, body)?;
        let id = form.get("request").ok_or(Refused::Missing("request"))?;
        let person = match form.get("person") {
            Some(id) => server.seams.identity.person(id).await,
            None => None,
        };
        for _ in 0..ATTEMPTS {
            let visit = Visit::of(server, parts, id).await?;
            let decision = sign_in::decide(
                &server.present(),
                visit.request.as_ref(),
                visit.browser.as_ref(),
                form.get("csrf"),
                person.as_ref(),
                visit.session.as_ref(),
            );
            if let Some(outcome) = commit(server, decision).await {
                return outcome.map(|cookie| (id.to_owned(), cookie));
            }
        }
        Err(Refused::Contended)
    };
    match signed_in.await {
        Ok((id, cookie)) => {
            let mut response = respond::redirect(&front::page(server, path::CONSENT, &id));
            if let Some(cookie) = Cookie::Session.write(server, &cookie) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(reason) => refused(server, &reason),
    }
}

/// `GET /consent`: the question.
pub(super) async fn consent_page(server: &Server, parts: &Parts) -> Response<Bytes> {
    let page = async {
        let id = asked(parts)?;
        let visit = Visit::of(server, parts, &id).await?;
        let (request, browser) = visit.waiting(server)?;
        // Somebody who is no longer known has to sign in as somebody who is.
        let Some((signed_in, person)) = &visit.signed_in else {
            return Ok(Err(id));
        };
        let resource = server
            .config
            .resource(request.record.resource.as_str())
            .ok_or(Refused::ResourceUnknown)?;
        let csrf = consent::csrf(&server.config.keys.hash, browser, &signed_in.cookie, &id);
        let actions = page::Actions {
            consent: &front::path(server, path::CONSENT),
            sign_in: &front::path(server, path::SIGN_IN),
        };
        page::consent(&actions, &id, &request.record, resource, person, &csrf).map(Ok)
    };
    match page.await {
        Ok(Ok(page)) => respond::page(StatusCode::OK, page),
        Ok(Err(id)) => respond::redirect(&front::page(server, path::SIGN_IN, &id)),
        Err(reason) => respond::wrong(&reason),
    }
}

/// `POST /consent`: the answer.
pub(super) async fn consent(server: &Server, parts: &Parts, body: &Bytes) -> Response<Bytes> {
    let answered = async {
        let form = form(server, parts, body)?;
        let id = form.get("request").ok_or(Refused::Missing("request"))?;
        for _ in 0..ATTEMPTS {
            let visit = Visit::of(server, parts, id).await?;
            let decision = consent::decide(
                &server.present(),
                visit.request.as_ref(),
                visit.browser.as_ref(),
                visit.signed_in.as_ref().map(|(signed_in, _)| signed_in),
                &consent::Form {
                    csrf: form.get("csrf"),
                    decision: form.get("decision"),
                },
            );
            if let Some(outcome) = commit(server, decision).await {
                return outcome;
            }
        }
        Err(Refused::Contended)
    };
    match answered.await {
        Ok(location) => respond::redirect(&location),
        Err(reason) => refused(server, &reason),
    }
}

fn refused(server: &Server, reason: &Refused) -> Response<Bytes> {
    if *reason == Refused::Forged {
        server.tell(&[Event::ForgeryRefused]);
    }
    respond::wrong(reason)
}

/// The request that a page is asked for.
fn asked(parts: &Parts) -> Result<String, Refused> {
    let params = Params::parse_query(parts.uri.query().unwrap_or_default(), &[])?;
    params
        .get("request")
        .map(str::to_owned)
        .ok_or(Refused::Missing("request"))
}

/// The form that a page sent.
fn form(server: &Server, parts: &Parts, body: &Bytes) -> Result<Params, Refused> {
    // Fetch Metadata section 2: a browser that says where a form comes from is believed.
    let site = parts.headers.get("sec-fetch-site");
    if site.is_some_and(|site| site != "same-origin") {
        return Err(Refused::Forged);
    }
    // Fetch section 3.2: our own pages send null, because they send no referrer; then the token of the form decides alone.
    let origin = parts.headers.get(header::ORIGIN);
    if origin.is_some_and(|origin| origin != "null" && *origin != *front::origin(server)) {
        return Err(Refused::Forged);
    }
    if !media_type::is_form(&parts.headers) {
        return Err(Refused::ContentType);
    }
    Ok(Params::parse_form(body, &[])?)
}
