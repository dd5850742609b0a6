//! A client that holds a key and makes a proof for each request.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use oauth_rs::hash::sha256;
use oauth_rs::jose::dpop::Proof;
use oauth_rs::jose::jwt::AccessTokenClaims;
use oauth_rs::jose::{Jws, SigningKey};
use oauth_rs::uri::TargetUri;

use crate::world::{Answer, ISSUER, World, authorization, pair, redemption, refreshing, request};

pub(crate) struct Prover {
    pub(crate) key: SigningKey,
    /// The nonce of the server, once it gave one.
    pub(crate) nonce: Option<String>,
}

fn counted(dest: &mut [u8]) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let bytes = sha256(&COUNT.fetch_add(1, Ordering::SeqCst).to_be_bytes());
    for (to, from) in dest.iter_mut().zip(bytes) {
        *to = from;
    }
}

impl Prover {
    pub(crate) fn new() -> Self {
        Self {
            key: SigningKey::generate_es256().unwrap(),
            nonce: None,
        }
    }

    pub(crate) fn jkt(&self) -> &str {
        self.key.kid()
    }

    /// A proof for a POST to this address, made this many seconds from now.
    pub(crate) fn proof_for(
        &self,
        world: &World,
        method: &Method,
        uri: &str,
        seconds: i64,
    ) -> String {
        let proof = Proof {
            method,
            uri: &TargetUri::parse(uri).unwrap(),
            nonce: self.nonce.as_deref(),
            access_token: None,
        };
        let now = oauth_rs::time::UnixSeconds(world.now().0.saturating_add_signed(seconds));
        let entropy: fn(&mut [u8]) = counted;
        proof.sign(&self.key, now, &entropy).unwrap()
    }

    /// A proof for the token endpoint.
    pub(crate) fn proof(&self, world: &World) -> String {
        self.proof_for(world, &Method::POST, &format!("{ISSUER}/token"), 0)
    }

    /// Redeems a code with a proof.
    pub(crate) async fn redeem(&self, world: &World, client: &str, code: &str) -> Answer {
        let form = redemption(client, code, &[]);
        world.prove(&form, &[&self.proof(world)]).await
    }

    /// The tokens of a sign-in of Ada with a proof: access token, refresh token.
    pub(crate) async fn tokens(&self, world: &World, client: &str) -> (String, String) {
        let code = world.code(client).await;
        let answer = self.redeem(world, client, &code).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        pair(&answer)
    }

    /// Refreshes with a proof.
    pub(crate) async fn refresh(&self, world: &World, client: &str, token: &str) -> Answer {
        let form = refreshing(client, token, &[]);
        world.prove(&form, &[&self.proof(world)]).await
    }

    /// An authorization request whose code is bound to the key.
    pub(crate) fn authorization(&self, client: &str) -> String {
        authorization(client, &[("dpop_jkt", Some(self.jkt()))])
    }
}

impl World {
    /// A token request with these `DPoP` headers.
    pub(crate) async fn prove(&self, form: &str, proofs: &[&str]) -> Answer {
        self.call(proved(form, proofs)).await
    }
}

pub(crate) fn proved(form: &str, proofs: &[&str]) -> Request<Full<Bytes>> {
    let mut call =
        request("POST", "/token").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for proof in proofs {
        call = call.header("DPoP", *proof);
    }
    call.body(Full::from(form.to_owned())).unwrap()
}

/// The key that an access token is bound to, if it is.
pub(crate) fn bound_to(access_token: &str) -> Option<String> {
    let payload = access_token.split('.').nth(1).unwrap();
    assert!(Jws::parse(access_token).is_ok());
    let json = base64_url(payload);
    let claims = AccessTokenClaims::parse(&json).unwrap();
    claims.cnf.and_then(|cnf| cnf.jkt)
}

fn base64_url(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .unwrap()
}

/// Status, code and description of a refusal.
pub(crate) fn refusal(answer: &Answer) -> (u16, String, String) {
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (
        answer.status.as_u16(),
        text("error"),
        text("error_description"),
    )
}
