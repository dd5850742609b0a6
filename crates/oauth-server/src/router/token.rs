//! The shell of the token endpoint.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use oauth_rs::error_code::ErrorCode;
use oauth_rs::jose::dpop::VerifiedProof;
use oauth_rs::media_type;
use oauth_rs::params::Params;

use super::respond;
use super::transact::{ATTEMPTS, commit, find};
use crate::check::{client_auth, proof};
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
    let mut nonce = None;
    let mut response = match answer(server, parts, body, &mut nonce).await {
        Ok(answer) => respond::private_json(StatusCode::OK, &answer),
        Err(reason) => {
            if reason.code() == ErrorCode::UseDpopNonce {
                let nonces = server.config.nonces.as_ref();
                nonce = nonces.map(|nonces| nonces.fresh(server.now()));
            }
            respond::refused(&reason)
        }
    };
    // RFC 9449 sections 8 and 8.2: with the refusal that asks for it, and with any answer.
    if let Some(nonce) = nonce.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
    response
}

const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

async fn answer(
    server: &Server,
    parts: &Parts,
    body: &[u8],
    next_nonce: &mut Option<String>,
) -> Result<TokenResponse, Refused> {
    // RFC 8707 section 2.2: resource may occur more than once.
    let params = Params::parse_form(body, &["resource"])?;
    let client_id = client_auth::check(&parts.headers, &params)?;
    let grant = GrantType::parse(&params)?;
    let (proof, mut claim) = match proof::verify(&server.config, &parts.headers, server.now())? {
        None => (None, None),
        Some(proved) => {
            *next_nonce = proved.next_nonce;
            (Some(proved.proof), Some(proved.claim))
        }
    };
    for _ in 0..ATTEMPTS {
        let decision = decide(server, client_id, grant, &params, proof.as_ref()).await?;
        // RFC 9449 section 11.1: a proof is good once. It is spent last, so that only who has a code or token fills the window;
        // but before anything is written, so that a request that was sent again changes nothing.
        let matters = decision.outcome.is_ok() || !decision.writes.is_empty();
        if let Some(claim) = claim.take_if(|_| matters) {
            let spent = server.proofs.spend(claim, server.now());
            spent.map_err(Refused::ProofSpent)?;
        }
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
    proof: Option<&VerifiedProof>,
) -> Result<Decision<TokenResponse>, Refused> {
    let client = match token::need(client_id) {
        Some(key) => find(server, &key, Client::from_record).await?,
        None => None,
    };
    let bound_only = token::check_client(&server.present(), client_id, grant, client.as_ref())?;
    proof::demanded(bound_only, proof)?;
    match grant {
        GrantType::AuthorizationCode => {
            let key = authorization_code::need(&server.present(), params)?;
            let code = find(server, &key, Code::from_record).await?;
            if code
                .as_ref()
                .is_some_and(|code| code.record.client_id == client_id)
            {
                let bound_only = super::client::heed(server, client_id, grant).await?;
                proof::demanded(bound_only, proof)?;
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
                authorization_code::decide(&server.present(), client_id, params, proof, &records);
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
                let bound_only = super::client::heed(server, client_id, grant).await?;
                proof::demanded(bound_only, proof)?;
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
            let decision =
                refresh_token::decide(&server.present(), client_id, params, proof, &records);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use http::{Method, Request, header};
    use oauth_rs::jose::SigningKey;
    use oauth_rs::jose::dpop::{Proof, ReplayWindow};
    use oauth_rs::params::encode;
    use oauth_rs::uri::TargetUri;

    use super::serve;
    use crate::event::Event;
    use crate::fixture::{NOW, VERIFIER, code, config};
    use crate::identity::{DangerousPicker, Person};
    use crate::record::Client;
    use crate::server::{Seams, Server};
    use crate::store::{Key, Kind, MemoryStore, Store as _, Write};
    use crate::token::filed;

    /// A proof that cannot be remembered could be used again, so it is not taken, and nothing is spent.
    #[tokio::test]
    async fn a_full_window_refuses_and_says_when_to_come_again() {
        let store = Arc::new(MemoryStore::new());
        let config = config();
        let client = Client {
            client_id: "client".to_owned(),
            name: None,
            redirect_uris: Vec::new(),
            grant_types: Vec::new(),
            dpop_bound: false,
            registered_at: NOW,
            expires_at: None,
        };
        let code_key = filed(&config.keys.hash, Kind::Code, "x");
        let insert = |key, record| Write::Insert { key, record };
        let writes = vec![
            insert(Key::new(Kind::Client, "client"), client.into()),
            insert(code_key.clone(), code().into()),
        ];
        let _committed = store.commit(writes).await.unwrap();
        let ada = Person {
            id: "ada".to_owned(),
            name: "Ada".to_owned(),
            details: Vec::new(),
        };
        let entropy = |dest: &mut [u8]| dest.fill(9);
        let seams = Seams {
            store: Arc::clone(&store) as _,
            identity: Arc::new(DangerousPicker::new([ada])),
            documents: None,
            events: Arc::new(|_: &Event| {}),
            clock: Arc::new(|| NOW),
            entropy: Arc::new(entropy),
        };
        let mut server = Server::new(config, seams);
        server.proofs = ReplayWindow::new(0);
        let uri = TargetUri::parse("https://as.example/token").unwrap();
        let proof = Proof {
            method: &Method::POST,
            uri: &uri,
            nonce: None,
            access_token: None,
        };
        let key = SigningKey::generate_es256().unwrap();
        let request = Request::post("/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("dpop", proof.sign(&key, NOW, &entropy).unwrap());
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let form = Bytes::from(encode(&[
            ("grant_type", "authorization_code"),
            ("client_id", "client"),
            ("code", "x"),
            ("code_verifier", VERIFIER),
        ]));
        let answer = serve(&server, &parts, &form).await;
        assert_eq!(answer.status(), 503);
        // The proof itself would be void after a minute.
        assert_eq!(answer.headers()["retry-after"], "61");
        let body = std::str::from_utf8(answer.body()).unwrap();
        assert!(body.contains("temporarily_unavailable"), "{body}");
        let stored = store.load(&[code_key]).await.unwrap().pop().flatten();
        let stored = crate::record::Code::from_record(&stored.unwrap().record).cloned();
        assert_eq!(stored.unwrap().spent_at, None);

        server.proofs = ReplayWindow::new(1);
        let answer = serve(&server, &parts, &form).await;
        assert_eq!(answer.status(), 200);
    }
}
