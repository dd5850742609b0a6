//! How often deciding about a token that comes again makes the allocator work, and what strangers
//! leave behind.

#![cfg(feature = "fetch")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use allocation_counter::measure;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use oauth_rs::certificate::Thumbprint;
use oauth_rs::client::{Client, ClientAuth};
use oauth_rs::jose::{JwkSet, SigningKey};
use oauth_rs::secret::Secret;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{Issuer, ResourceId};
use resource_guard::fetch::{
    HttpClient, IntrospectionEndpoint, IntrospectionLimits, IntrospectionProfile,
    IntrospectionSource, Introspector, VerifiedTokens,
};
use resource_guard::{Decision, Evidence, Guard, GuardConfig, KeySnapshot, Needs, TrustedIssuer};
use tower_service::Service;

/// The most allocations for a token that comes again.
const MOST: u64 = 2;

const NOW: UnixSeconds = UnixSeconds(1100);

struct World {
    guard: Guard,
    keys: KeySnapshot,
    tokens: VerifiedTokens,
    token: String,
}

fn world() -> World {
    let issuer = Issuer::parse("https://as.example").unwrap();
    let resource = ResourceId::parse("https://rs.example/mcp").unwrap();
    let key = SigningKey::generate_es256().unwrap();
    let keys = KeySnapshot::new(issuer.clone(), JwkSet::from_public([key.public_jwk()]));
    let tokens = VerifiedTokens::new();
    let guard = Guard::new(GuardConfig::new(resource, TrustedIssuer::new(issuer))).unwrap();
    let claims = r#"{"iss":"https://as.example","aud":"https://rs.example/mcp","sub":"u1",
        "client_id":"c1","jti":"t1","iat":1000,"exp":1300,"scope":"doc:read doc:write"}"#;
    World {
        guard: guard.remembering(Arc::new(tokens.clone())),
        keys,
        tokens,
        token: key.sign("at+jwt", claims.as_bytes()).unwrap(),
    }
}

fn request(token: &str) -> Parts {
    let request = Request::get("https://rs.example/mcp");
    let request = request.header("authorization", format!("Bearer {token}"));
    request.body(()).unwrap().into_parts().0
}

impl World {
    fn grants(&self, parts: &Parts) -> bool {
        let decision = self.guard.check(parts, &Evidence::of(&self.keys), NOW);
        matches!(decision, Decision::Granted(_))
    }
}

#[test]
fn a_token_that_comes_again_allocates_at_most_twice() {
    let world = world();
    let parts = request(&world.token);
    assert!(world.grants(&parts));
    let again = measure(|| assert!(world.grants(&parts)));
    assert!(
        again.count_total <= MOST,
        "{} allocations",
        again.count_total
    );
    assert_eq!(again.bytes_current, 0);
}

/// Answers as an issuer that is asked, once for each token.
#[derive(Clone)]
struct Asked;

impl Service<Request<Bytes>> for Asked {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Bytes>) -> Self::Future {
        let answer = r#"{"active":true,"aud":"https://rs.example/mcp","sub":"u1","client_id":"c1",
            "jti":"t1","exp":1300,"scope":"doc:read doc:write","organization_id":"o1",
            "act":{"sub":"agent"},"cnf":{"x5t#S256":"A-p8nzZzLRX1xdLNAFvxs1MJ4XyrKAPV5Z1bCAbaXLA"}}"#;
        ready(Ok(Response::new(Bytes::from(answer))))
    }
}

#[test]
fn an_introspected_token_that_comes_again_allocates_at_most_twice() {
    let issuer = Issuer::parse("https://as.example").unwrap();
    let resource = ResourceId::parse("https://rs.example/mcp").unwrap();
    let trusted = TrustedIssuer::introspecting(issuer.clone());
    let guard = Guard::new(GuardConfig::new(resource, trusted)).unwrap();
    let endpoint = IntrospectionEndpoint {
        issuer,
        source: IntrospectionSource::At("https://as.example/introspect".to_owned()),
        client: Client {
            client_id: "rs".to_owned(),
            auth: ClientAuth::Basic(Secret::new("secret")),
        },
        profile: IntrospectionProfile::Json,
    };
    let introspector = Introspector::new(
        endpoint,
        HttpClient::new(Asked),
        Arc::new(|| NOW),
        Arc::new(|_: &mut [u8]| {}),
        IntrospectionLimits::default(),
    );
    let (keys, parts) = (KeySnapshot::default(), request("opaque-token"));
    let certificate = Thumbprint::parse("A-p8nzZzLRX1xdLNAFvxs1MJ4XyrKAPV5Z1bCAbaXLA").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let decide = async || {
        let evidence = Evidence {
            certificate: Some(&certificate),
            ..Evidence::of(&keys)
        };
        let Decision::Needs(Needs::Introspection(needs)) = guard.check(&parts, &evidence, NOW)
        else {
            panic!("it is the issuer's to judge");
        };
        let answer = introspector.ask(needs.token()).await.unwrap();
        let evidence = Evidence {
            introspection: Some(&answer),
            ..evidence
        };
        let decision = guard.check(&parts, &evidence, NOW);
        assert!(matches!(decision, Decision::Granted(_)));
    };
    runtime.block_on(async {
        decide().await;
        decide().await;
    });
    let again = measure(|| runtime.block_on(decide()));
    let idle = measure(|| runtime.block_on(async {}));
    assert_eq!(introspector.asked(), 1);
    let count = again.count_total - idle.count_total;
    assert!(count <= MOST, "{count} allocations");
}

#[test]
fn a_hundred_thousand_distinct_invalid_tokens_leave_nothing_behind() {
    let world = world();
    let valid = request(&world.token);
    assert!(world.grants(&valid));
    let (body, signature) = world.token.rsplit_once('.').unwrap();
    let signature: Vec<u8> = signature.bytes().collect();
    // Two thousand with another signature each, which is the most that one costs.
    let forged = |n: usize| {
        let mut signature = signature.clone();
        for (digit, byte) in signature.iter_mut().skip(4).take(6).enumerate() {
            let letter =
                u8::try_from(n / 26_usize.pow(u32::try_from(digit).unwrap()) % 26).unwrap();
            *byte = b'a' + letter;
        }
        request(&format!("{body}.{}", String::from_utf8(signature).unwrap()))
    };
    // The rest is refused before that.
    let garbled = |n: usize| request(&format!("e30.{n}.AAAA"));
    let left = measure(|| {
        for n in 0..2_000 {
            assert!(!world.grants(&forged(n)));
        }
        for n in 0..98_000 {
            assert!(!world.grants(&garbled(n)));
        }
    });
    assert_eq!(left.bytes_current, 0);
    assert_eq!(world.tokens.len(), 1);
    assert!(world.grants(&valid));
}
