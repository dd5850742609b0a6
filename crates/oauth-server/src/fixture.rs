//! What the unit tests of decisions share: a configuration, a moment, and counted randomness.

use oauth_rs::hash::HashKey;
use oauth_rs::jose::SigningKey;
use oauth_rs::pkce::CodeChallenge;
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{Issuer, RedirectUri, ResourceId};

use crate::config::{Config, Keys, Resource, Scope};
use crate::decision::{Found, Present};
use crate::record::{Code, Grant};
use crate::store::{Key, Kind, Version};

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_000_000);
pub(crate) const RESOURCE: &str = "https://api.example/mcp";
pub(crate) const REDIRECT: &str = "https://c.example/cb";

// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) fn config() -> Config {
    let scope = |name: &str| Scope {
        name: name.to_owned(),
        title: name.to_owned(),
        description: name.to_owned(),
    };
    let keys = Keys {
        signing: SigningKey::generate_es256().unwrap(),
        hash: HashKey::new([7; 32]),
    };
    let resource = Resource {
        id: ResourceId::parse(RESOURCE).unwrap(),
        name: "Tools".to_owned(),
        scopes: vec![scope("read"), scope("write")],
    };
    Config::new(Issuer::parse("https://as.example").unwrap(), keys, resource).unwrap()
}

fn entropy(dest: &mut [u8]) {
    dest.fill(9);
}

pub(crate) fn present(config: &Config) -> Present<'_> {
    Present {
        config,
        now: NOW,
        entropy: &(entropy as fn(&mut [u8])),
    }
}

pub(crate) fn found<T>(kind: Kind, id: &str, record: T) -> Found<T> {
    Found {
        key: Key::new(kind, id),
        version: Version(1),
        record,
    }
}

pub(crate) fn code() -> Code {
    Code {
        client_id: "client".to_owned(),
        redirect_uri: RedirectUri::parse(REDIRECT).unwrap(),
        challenge: CodeChallenge::parse(CHALLENGE).unwrap(),
        scope: ScopeSet::parse("read write").unwrap(),
        resource: ResourceId::parse(RESOURCE).unwrap(),
        person: "ada".to_owned(),
        grant_id: "grant".to_owned(),
        jkt: None,
        dpop_bound: false,
        may_refresh: true,
        expires_at: UnixSeconds(NOW.0 + 1),
        spent_at: None,
        keep_until: UnixSeconds(NOW.0 + 1000),
    }
}

pub(crate) fn grant() -> Grant {
    Grant {
        client_id: "client".to_owned(),
        person: "ada".to_owned(),
        scope: ScopeSet::parse("read write").unwrap(),
        resource: ResourceId::parse(RESOURCE).unwrap(),
        created_at: NOW,
        expires_at: UnixSeconds(NOW.0 + 100_000),
        revoked_at: None,
    }
}
