//! What must hold for any bytes at all. The fuzz targets call these, and so does an ordinary test with the corpus.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use oauth_rs::client::{Client, ClientAuth};
use oauth_rs::jose::{AlgSet, JwkSet, SigningKey};
use oauth_rs::secret::Secret;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{Issuer, ResourceId};
use resource_guard::fetch::{
    HttpClient, IntrospectionEndpoint, IntrospectionLimits, IntrospectionProfile,
    IntrospectionSource, Introspector, KeyCache, KeyLimits, KeySource,
};
use resource_guard::{
    Decision, Evidence, Guard, GuardConfig, KeySnapshot, Needs, Peer, Proxies, Reason,
    TrustedIssuer,
};
use tower_service::Service;

/// The name of a target, and what must hold for any bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 4] = [
    ("client_cert", client_cert),
    ("credential", credential),
    ("introspection", introspection),
    ("keys", keys),
];

const NOW: UnixSeconds = UnixSeconds(1100);

fn issuer() -> Issuer {
    Issuer::parse("https://as.example").expect("it is an issuer")
}

fn guard(trusted: TrustedIssuer) -> Guard {
    let resource = ResourceId::parse("https://rs.example/mcp").expect("it is a resource");
    Guard::new(GuardConfig::new(resource, trusted)).expect("it is a configuration")
}

/// One field for each line that may be the value of one, at most three.
fn fields(name: &HeaderName, data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let lines = data.split(|byte| *byte == b'\n').take(3);
    for value in lines.filter_map(|line| HeaderValue::from_bytes(line).ok()) {
        headers.append(name, value);
    }
    headers
}

fn request(headers: HeaderMap) -> Parts {
    let mut request = Request::new(());
    *request.headers_mut() = headers;
    request.into_parts().0
}

/// Whatever the `Authorization` fields say, nobody is granted anything without a token that the
/// issuer signed, the answer is the one that the reason has, and it says nothing of the token.
pub fn credential(data: &[u8]) {
    let parts = request(fields(&AUTHORIZATION, data));
    let guard = guard(TrustedIssuer::new(issuer()));
    let key = SigningKey::generate_es256().expect("the system has random bytes");
    let known = KeySnapshot::new(issuer(), JwkSet::from_public([key.public_jwk()]));
    let decision = guard.check(&parts, &Evidence::of(&known), NOW);
    let refused = decision.into_result().expect_err("nobody signed it");
    let response = guard.response(&refused);
    assert!(matches!(response.status().as_u16(), 400 | 401));
    assert!(response.headers().contains_key(WWW_AUTHENTICATE));
    let log = refused.reason().to_string();
    assert!(
        log.len() <= 2000 && !log.contains(char::is_control),
        "{log}"
    );
}

/// A certificate counts from a trusted proxy alone, and the field never goes on.
pub fn client_cert(data: &[u8]) {
    let name = HeaderName::from_static("client-cert");
    let sent = fields(&name, data);
    let proxy = "10.0.0.1".parse().expect("it is an address");
    let peer = |address| Peer {
        address: Some(address),
        ..Peer::default()
    };
    let proxies = Proxies::new([proxy]);
    let mut headers = sent.clone();
    match proxies.certificate(Some(&peer(proxy)), &mut headers) {
        Ok(certificate) => assert_eq!(certificate.is_some(), !sent.is_empty()),
        Err(reason) => assert!(matches!(reason, Reason::ClientCert { .. })),
    }
    assert!(!headers.contains_key(&name));
    let stranger = "10.0.0.2".parse().expect("it is an address");
    let mut headers = sent;
    let shown = proxies.certificate(Some(&peer(stranger)), &mut headers);
    assert_eq!(shown, Ok(None));
    assert!(!headers.contains_key(&name));
}

/// A server that answers every request with the same bytes.
#[derive(Clone)]
struct Always {
    body: Bytes,
    content_type: &'static str,
}

impl Service<Request<Bytes>> for Always {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Bytes>) -> Self::Future {
        let mut response = Response::new(self.body.clone());
        let content_type = HeaderValue::from_static(self.content_type);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        ready(Ok(response))
    }
}

fn always(data: &[u8], content_type: &'static str) -> HttpClient {
    HttpClient::new(Always {
        body: Bytes::copy_from_slice(data),
        content_type,
    })
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().build();
    runtime.expect("a runtime").block_on(work)
}

fn key_cache(data: &[u8]) -> KeyCache {
    let source = KeySource::At("https://as.example/jwks".to_owned());
    let client = always(data, "application/json");
    KeyCache::new([(issuer(), source)], client, KeyLimits::default())
}

/// Whatever an issuer answers, in JSON, signed or as Didit does: a token is granted only if the
/// answer is for this resource and in time, and an answer that is none is no bad token.
pub fn introspection(data: &[u8]) {
    let guard = guard(TrustedIssuer::introspecting(issuer()));
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer opaque"));
    let parts = request(headers);
    let keys = KeySnapshot::default();
    let profiles = [
        (IntrospectionProfile::Json, "application/json"),
        (
            IntrospectionProfile::Signed {
                keys: key_cache(data),
                algorithms: AlgSet::DEFAULT,
            },
            "application/token-introspection+jwt",
        ),
        (
            IntrospectionProfile::Didit { organization: None },
            "application/json",
        ),
    ];
    for (profile, content_type) in profiles {
        let is_signed = matches!(profile, IntrospectionProfile::Signed { .. });
        let endpoint = IntrospectionEndpoint {
            issuer: issuer(),
            source: IntrospectionSource::At("https://as.example/introspect".to_owned()),
            client: Client {
                client_id: "rs".to_owned(),
                auth: ClientAuth::Basic(Secret::new("secret")),
            },
            profile,
        };
        let introspector = Introspector::new(
            endpoint,
            always(data, content_type),
            Arc::new(|| NOW),
            Arc::new(|_: &mut [u8]| {}),
            IntrospectionLimits::default(),
        );
        let decision = guard.check(&parts, &Evidence::of(&keys), NOW);
        let Decision::Needs(Needs::Introspection(needs)) = decision else {
            panic!("it is the issuer's to judge");
        };
        let Ok(answer) = run(introspector.ask(needs.token())) else {
            continue;
        };
        let evidence = Evidence {
            introspection: Some(&answer),
            ..Evidence::of(&keys)
        };
        if let Decision::Granted(granted) = guard.check(&parts, &evidence, NOW) {
            assert!(!is_signed, "nobody signed it");
            assert!(granted.principal().expires_at.is_none_or(|at| at.0 > 1000));
            assert!(granted.principal().binding.jkt.is_none());
        }
    }
}

/// A key set is read or the fetch has failed; what is read is bounded.
pub fn keys(data: &[u8]) {
    let cache = key_cache(data);
    let found = run(async { cache.find(Some(&issuer()), Some("a")).await });
    if let Ok(found) = found {
        let keys = found.keys_of(&issuer()).map_or(0, |keys| keys.keys().len());
        assert!(keys <= 64);
    }
}
