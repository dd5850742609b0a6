//! Whose tokens count, and where the keys or the answers come from.

use std::env;
use std::sync::Arc;
use std::time::SystemTime;

use egress_guard::{Limits, Policy};
use oauth_rs::client::{Client, ClientAuth};
use oauth_rs::secret::Secret;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::Issuer;
use resource_guard::TrustedIssuer;
use resource_guard::fetch::{
    Fetched, HttpClient, IntrospectionEndpoint, IntrospectionLimits, IntrospectionProfile,
    IntrospectionSource, Introspector, KeyCache, KeyLimits, KeySource,
};

/// An issuer, and where evidence about its tokens comes from.
pub(crate) struct Trust {
    pub(crate) issuer: TrustedIssuer,
    pub(crate) source: Fetched,
}

/// The issuer of this name. Its tokens are JWTs; or it is asked about each of them, if the
/// environment has `INTROSPECTION_ENDPOINT`, and for that `CLIENT_ID` and `CLIENT_SECRET`.
pub(crate) fn named(issuer: &str) -> Trust {
    // The issuer's metadata chooses where its keys are, so the client must not be led astray: https
    // and public addresses. Plain http is for a server on this machine.
    let policy = if issuer.starts_with("http://") {
        Policy::dangerous_allow_loopback()
    } else {
        Policy::strict()
    };
    let http = HttpClient::new(egress_guard::Client::new(policy, Limits::default()));
    let endpoint = env::var("INTROSPECTION_ENDPOINT").ok();
    let asked = endpoint.map(|url| (url, registered()));
    trust(Issuer::parse(issuer).unwrap(), http, asked)
}

/// As whom the issuer is asked.
fn registered() -> Client {
    let secret = Secret::new(env::var("CLIENT_SECRET").unwrap());
    Client {
        client_id: env::var("CLIENT_ID").unwrap(),
        auth: ClientAuth::Basic(secret),
    }
}

/// Nothing is fetched here: the keys when the first token needs them, the answers for each token.
pub(crate) fn trust(issuer: Issuer, http: HttpClient, asked: Option<(String, Client)>) -> Trust {
    let discovered = [(issuer.clone(), KeySource::Discovered)];
    let keys = KeyCache::reporting(discovered, http.clone(), KeyLimits::default(), |fetch| {
        if let Err(why) = fetch.outcome {
            eprintln!("no newer keys of {}: {why}", fetch.issuer);
        }
    });
    let source = Fetched::new(keys);
    let Some((url, client)) = asked else {
        let issuer = TrustedIssuer::new(issuer);
        return Trust { issuer, source };
    };
    let endpoint = IntrospectionEndpoint {
        issuer: issuer.clone(),
        source: IntrospectionSource::At(url),
        client,
        profile: IntrospectionProfile::Json,
    };
    let (clock, random) = (Arc::new(now), Arc::new(random));
    let limits = IntrospectionLimits::default();
    let answers = Introspector::reporting(endpoint, http, clock, random, limits, |question| {
        eprintln!("no answer of {}: {}", question.issuer, question.failed);
    });
    Trust {
        issuer: TrustedIssuer::introspecting(issuer),
        source: source.asking(answers),
    }
}

/// The operating system's clock; the guard has none of its own.
pub(crate) fn now() -> UnixSeconds {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    UnixSeconds(since.as_secs())
}

/// The operating system's random source.
fn random(dest: &mut [u8]) {
    getrandom::fill(dest).unwrap();
}
