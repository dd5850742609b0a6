//! The shell of the revocation endpoint.

use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};
use oauth_rs::media_type;
use oauth_rs::params::Params;

use super::respond;
use super::transact::{ATTEMPTS, commit, find};
use crate::check::client_auth;
use crate::endpoint::revoke::{self, Records};
use crate::endpoint::token::{GrantType, check_client, need};
use crate::record::{Client, Grant, RefreshToken, RevokedToken};
use crate::refused::Refused;
use crate::server::Server;
use crate::store::{Key, Kind};
use crate::token::{filed, read};

pub(super) async fn serve(server: &Server, parts: &Parts, body: &Bytes) -> Response<Bytes> {
    if !media_type::is_form(&parts.headers) {
        return respond::refused(&Refused::ContentType);
    }
    match answer(server, parts, body).await {
        // RFC 7009 section 2.2: 200, and the body says nothing.
        Ok(()) => respond::text(StatusCode::OK, ""),
        Err(reason) => respond::refused(&reason),
    }
}

async fn answer(server: &Server, parts: &Parts, body: &[u8]) -> Result<(), Refused> {
    let params = Params::parse_form(body, &[])?;
    let client_id = client_auth::check(&parts.headers, &params)?;
    let sent = params.get("token").ok_or(Refused::Missing("token"))?;
    let client = match need(client_id) {
        Some(key) => find(server, &key, Client::from_record).await?,
        None => None,
    };
    // RFC 7009 section 2.1: whoever has a token may revoke it; no proof of a key is asked for.
    let _bound_only = check_client(
        &server.present(),
        client_id,
        GrantType::AuthorizationCode,
        client.as_ref(),
    )?;
    for _ in 0..ATTEMPTS {
        let records = load(server, sent).await?;
        let decision = revoke::decide(&server.present(), client_id, &records);
        if let Some(outcome) = commit(server, decision).await {
            return outcome;
        }
    }
    Err(Refused::Contended)
}

// RFC 7009 section 2.1: the hint orders the search only, and both places are looked in.
async fn load(server: &Server, sent: &str) -> Result<Records, Refused> {
    let key = filed(&server.config.keys.hash, Kind::RefreshToken, sent);
    if let Some(token) = find(server, &key, RefreshToken::from_record).await? {
        let key = Key::new(Kind::Grant, token.record.grant_id.clone());
        let grant = find(server, &key, Grant::from_record).await?;
        return Ok(Records::Refresh { token, grant });
    }
    let Some(claims) = read(&server.config, sent, server.now()) else {
        return Ok(Records::Unknown);
    };
    let key = revoke::need(&claims);
    let revoked = find(server, &key, RevokedToken::from_record)
        .await?
        .is_some();
    Ok(Records::Access { claims, revoked })
}
