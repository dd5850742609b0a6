//! The shell of the authorization endpoint.

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response, header};
use oauth_rs::entropy::random_secret;
use oauth_rs::media_type;

use super::cookie::Cookie;
use super::transact::{ATTEMPTS, commit};
use super::{client, front, respond};
use crate::endpoint::authorize::{self, Answer};
use crate::endpoint::metadata::path;
use crate::endpoint::sign_in::Browser;
use crate::refused::Refused;
use crate::server::Server;

pub(super) async fn serve(server: &Server, parts: &Parts, body: &Bytes) -> Response<Bytes> {
    // RFC 6749 section 3.1: GET MUST be supported, POST MAY be.
    let encoded: &[u8] = if parts.method == Method::POST {
        if !media_type::is_form(&parts.headers) {
            return respond::wrong(&Refused::ContentType);
        }
        body
    } else {
        parts.uri.query().unwrap_or_default().as_bytes()
    };
    let known = Cookie::Browser.read(server, &parts.headers);
    let fresh = known.is_none();
    let cookie = known.unwrap_or_else(|| random_secret(&*server.seams.entropy));
    let answer = answer(server, encoded, &Browser::of(cookie.clone())).await;
    match answer {
        Err(reason) => respond::wrong(&reason),
        Ok(Answer::Redirect(location)) => respond::redirect(&location),
        Ok(Answer::Told(told)) => respond::told(&told),
        Ok(Answer::Wait(request)) => {
            let signed_in = Cookie::Session.read(server, &parts.headers).is_some();
            let next = if signed_in {
                path::CONSENT
            } else {
                path::SIGN_IN
            };
            let mut response = respond::redirect(&front::page(server, next, &request));
            if let Some(cookie) = Cookie::Browser.write(server, &cookie).filter(|_| fresh) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
    }
}

async fn answer(server: &Server, encoded: &[u8], browser: &Browser) -> Result<Answer, Refused> {
    let asked = authorize::parse(encoded)?;
    let client = client::find(server, &asked.client_id).await?;
    let hashed = browser.hashed(&server.config.keys.hash);
    for _ in 0..ATTEMPTS {
        let decision = authorize::decide(&server.present(), &asked, &client, &hashed);
        if let Some(outcome) = commit(server, decision).await {
            return outcome;
        }
    }
    Err(Refused::Contended)
}
