//! The shell of the registration endpoint.

use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};
use oauth_rs::media_type;

use super::respond;
use super::transact::{ATTEMPTS, commit};
use crate::endpoint::register;
use crate::refused::Refused;
use crate::server::Server;

pub(super) async fn serve(server: &Server, parts: &Parts, body: &Bytes) -> Response<Bytes> {
    // RFC 7591 section 3.1: the request is application/json.
    if media_type::of(&parts.headers).as_deref() != Some("application/json") {
        return respond::error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "invalid_client_metadata",
            "the body has to be application/json",
        );
    }
    let mut paid = false;
    for _ in 0..ATTEMPTS {
        let decision = register::decide(&server.present(), body);
        // Only what would be kept is counted, so that rubbish closes the door to nobody.
        if decision.outcome.is_ok() && !paid {
            let most = server.config.registrations_per_minute;
            if let Err(reason) = server.registrations.spend(server.now(), most) {
                return respond::refused(&reason);
            }
            paid = true;
        }
        match commit(server, decision).await {
            // RFC 7591 section 3.2.1: 201, and nobody keeps it.
            Some(Ok(registered)) => return respond::private_json(StatusCode::CREATED, &registered),
            Some(Err(reason)) => return respond::refused(&reason),
            None => {}
        }
    }
    respond::refused(&Refused::Contended)
}
