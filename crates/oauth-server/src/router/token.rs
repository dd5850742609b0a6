//! The shell of the token endpoint.

use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};
use oauth_rs::media_type;
use oauth_rs::params::Params;

use super::respond;
use super::transact::{ATTEMPTS, commit, find};
use crate::check::client_auth;
use crate::decision::Decision;
use crate::endpoint::token::{self, GrantType};
use crate::grant::{authorization_code, refresh_token};
use crate::record::{Client, Code, Grant, RefreshToken};
use crate::refused::Refused;
use crate::server::Server;
use crate::store::{Key, Kind};
use crate::token::TokenResponse;

pub(super) async fn serve(server: &Server, parts: &Parts, body: &Bytes) -> Response<Bytes> {
    if !media_type::is_form(&parts.headers) {
        return respond::refused(&Refused::ContentType);
    }
    match answer(server, parts, body).await {
        Ok(answer) => respond::private_json(StatusCode::OK, &answer),
        Err(reason) => respond::refused(&reason),
    }
}

async fn answer(server: &Server, parts: &Parts, body: &[u8]) -> Result<TokenResponse, Refused> {
    // RFC 8707 section 2.2: resource may occur more than once.
    let params = Params::parse_form(body, &["resource"])?;
    let client_id = client_auth::check(&parts.headers, &params)?;
    let grant = GrantType::parse(&params)?;
    for _ in 0..ATTEMPTS {
        let decision = decide(server, client_id, grant, &params).await?;
        if let Some(outcome) = commit(server, decision).await {
            return outcome;
        }
    }
    Err(Refused::Contended)
}

async fn decide(
    server: &Server,
    client_id: &str,
    grant: GrantType,
    params: &Params,
) -> Result<Decision<TokenResponse>, Refused> {
    let client = match token::need(client_id) {
        Some(key) => find(server, &key, Client::from_record).await?,
        None => None,
    };
    token::check_client(&server.present(), client_id, grant, client.as_ref())?;
    match grant {
        GrantType::AuthorizationCode => {
            let key = authorization_code::need(&server.present(), params)?;
            let code = find(server, &key, Code::from_record).await?;
            if code
                .as_ref()
                .is_some_and(|code| code.record.client_id == client_id)
            {
                super::client::heed(server, client_id, grant).await?;
            }
            let grant = match &code {
                None => None,
                Some(code) => {
                    let key = Key::new(Kind::Grant, code.record.grant_id.clone());
                    find(server, &key, Grant::from_record).await?
                }
            };
            let records = authorization_code::Records {
                client,
                code,
                grant,
            };
            let decision =
                authorization_code::decide(&server.present(), client_id, params, &records);
            let person = records.code.as_ref().map(|code| &code.record.person);
            Ok(for_somebody(server, person, decision).await)
        }
        GrantType::RefreshToken => {
            let presented = refresh_token::presented(params)?;
            let key = refresh_token::need(&server.present(), presented);
            let token = find(server, &key, RefreshToken::from_record).await?;
            if token
                .as_ref()
                .is_some_and(|token| token.record.client_id == client_id)
            {
                super::client::heed(server, client_id, grant).await?;
            }
            let (grant, successor) = match &token {
                None => (None, None),
                Some(token) => family(server, &token.record).await?,
            };
            let records = refresh_token::Records {
                token,
                grant,
                successor,
            };
            let decision = refresh_token::decide(&server.present(), client_id, params, &records);
            let person = records.grant.as_ref().map(|grant| &grant.record.person);
            Ok(for_somebody(server, person, decision).await)
        }
    }
}

/// The decision, unless it would issue tokens for a person who is no longer known.
///
/// Nothing is spent or ended then: people are known elsewhere, and may be known again.
async fn for_somebody(
    server: &Server,
    person: Option<&String>,
    decision: Decision<TokenResponse>,
) -> Decision<TokenResponse> {
    let (Some(person), Ok(_)) = (person, &decision.outcome) else {
        return decision;
    };
    match server.seams.identity.person(person).await {
        Some(_) => decision,
        None => Decision::refused(Refused::PersonGone),
    }
}

type Family = (
    Option<crate::decision::Found<Grant>>,
    Option<crate::decision::Found<RefreshToken>>,
);

/// The grant of a refresh token, and the token that came after it.
async fn family(server: &Server, token: &RefreshToken) -> Result<Family, Refused> {
    let key = Key::new(Kind::Grant, token.grant_id.clone());
    let grant = find(server, &key, Grant::from_record).await?;
    let successor = match &token.spent {
        None => None,
        Some(spent) => {
            let key = Key::new(Kind::RefreshToken, spent.successor.clone());
            find(server, &key, RefreshToken::from_record).await?
        }
    };
    Ok((grant, successor))
}
