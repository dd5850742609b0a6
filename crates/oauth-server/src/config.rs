//! What an operator decides: the issuer, its keys, the resources and their scopes, lifetimes.

use std::time::Duration;

use oauth_rs::hash::HashKey;
use oauth_rs::jose::SigningKey;
use oauth_rs::jose::dpop::{Nonces, Rules};
use oauth_rs::scope::ScopeSet;
use oauth_rs::uri::{Issuer, ResourceId};

/// How an authorization server is set up.
///
/// The issuer, the keys and one resource are required; everything else has a default that is safe.
#[derive(Debug)]
pub struct Config {
    pub(crate) issuer: Issuer,
    pub(crate) keys: Keys,
    pub(crate) resources: Vec<Resource>,
    /// How long things last.
    pub lifetimes: Lifetimes,
    /// Whether clients may register themselves at `/register`; on by default.
    ///
    /// Registration is open: anybody may register, nobody is checked, and the consent page says where the answer goes.
    pub registration: bool,
    /// How many clients may register within a minute, of everybody together; thirty by default, further ones are answered with 429.
    ///
    /// With the week after which an unused registration lapses, and at most 4 KiB of redirect addresses in each, it bounds what strangers can make the store keep.
    /// Whoever runs a server for many people raises it, and limits each address in front of the server.
    pub registrations_per_minute: u32,
    pub(crate) dpop: Option<Rules>,
    pub(crate) nonces: Option<Nonces>,
    pub(crate) loopback_documents: bool,
    pub(crate) auto_consent: Option<String>,
    pub(crate) any_host: bool,
}

/// The secrets of a server; they have to survive a restart together with the store.
#[derive(Debug)]
pub struct Keys {
    /// Signs access tokens.
    pub signing: SigningKey,
    /// Turns codes, tokens and cookies into what the store sees of them.
    pub hash: HashKey,
}

/// Something that access tokens are issued for.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its identifier, the `aud` of its tokens.
    pub id: ResourceId,
    /// What it is called on the consent page.
    pub name: String,
    /// What can be asked for there.
    pub scopes: Vec<Scope>,
}

/// One thing that a client can ask for, in words for the person who decides.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The scope token on the wire.
    pub name: String,
    /// A few words, such as "Verification sessions".
    pub title: String,
    /// A sentence that tells what saying yes allows.
    pub description: String,
}

/// How long things last.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// An access token; ten minutes by default, since a leaked one works until then wherever revocation is not looked up.
    pub access_token: Duration,
    /// A refresh token that nobody uses; thirty days by default.
    pub refresh_idle: Duration,
    /// What a person allowed, however often it is refreshed; ninety days by default.
    pub grant: Duration,
    /// A person's sign-in in one browser; twelve hours by default, a working day.
    pub session: Duration,
    /// How long a spent refresh token still leads to its successor, for a client that lost the answer; ten seconds by default, at most [`MAX_OVERLAP`].
    pub refresh_overlap: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            access_token: Duration::from_secs(10 * 60),
            refresh_idle: Duration::from_secs(30 * DAY),
            grant: Duration::from_secs(90 * DAY),
            session: Duration::from_secs(12 * 60 * 60),
            refresh_overlap: Duration::from_secs(10),
        }
    }
}

/// How long an authorization code lasts; a client redeems it at once, and RFC 6749 section 4.1.2 allows ten minutes at most.
pub const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// The longest that [`Lifetimes::refresh_overlap`] can be; longer values count as this.
pub const MAX_OVERLAP: Duration = Duration::from_secs(60);

/// How long a person has to sign in and decide: time to read, and to find a password.
pub(crate) const REQUEST_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// How long after its end a code is remembered, so that a late second use still ends the grant.
pub(crate) const CODE_MEMORY: Duration = Duration::from_secs(60 * 60);

/// When a client that nobody ever signed in to is forgotten.
pub(crate) const UNUSED_CLIENT_LIFETIME: Duration = Duration::from_secs(7 * DAY);

const DAY: u64 = 24 * 60 * 60;

impl Config {
    /// A server with this name, these keys and this resource, and defaults otherwise.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] if the resource offers no scope, or one whose name is not a scope token.
    pub fn new(issuer: Issuer, keys: Keys, resource: Resource) -> Result<Self, InvalidConfig> {
        let config = Self {
            issuer,
            keys,
            resources: Vec::new(),
            lifetimes: Lifetimes::default(),
            registration: true,
            registrations_per_minute: 30,
            dpop: Some(Rules::default()),
            nonces: None,
            loopback_documents: false,
            auto_consent: None,
            any_host: false,
        };
        config.and_resource(resource)
    }

    /// Adds a resource.
    ///
    /// The first one is what a client gets that names none.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] if the resource offers no scope, one whose name is not a scope token, or is there already.
    pub fn and_resource(mut self, resource: Resource) -> Result<Self, InvalidConfig> {
        let names: Vec<&str> = resource
            .scopes
            .iter()
            .map(|scope| scope.name.as_str())
            .collect();
        if names.is_empty() {
            return Err(InvalidConfig::NoScopes {
                resource: resource.id.as_str().to_owned(),
            });
        }
        for name in names {
            if ScopeSet::from_tokens([name]).is_err() {
                return Err(InvalidConfig::ScopeName {
                    name: name.to_owned(),
                });
            }
        }
        if self.resource(resource.id.as_str()).is_some() {
            return Err(InvalidConfig::ResourceTwice {
                resource: resource.id.as_str().to_owned(),
            });
        }
        self.resources.push(resource);
        Ok(self)
    }

    /// Judges DPoP proofs by these rules in place of the defaults.
    ///
    /// A token request with a proof gets tokens that are bound to its key (RFC 9449), one without gets bearer tokens.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] if the rules accept no algorithm.
    pub fn dpop(mut self, rules: Rules) -> Result<Self, InvalidConfig> {
        if rules.algorithms.is_empty() {
            return Err(InvalidConfig::NoProofAlgorithm);
        }
        self.dpop = Some(rules);
        Ok(self)
    }

    /// Demands in each proof a nonce of this server, which it hands out with `use_dpop_nonce` (RFC 9449 section 8).
    ///
    /// A proof that somebody prepared in advance, with a key that they could use for a moment, is then worth nothing after ten minutes.
    /// It costs a client one more request when it has no nonce yet, and some clients cannot answer it.
    #[must_use]
    pub fn dpop_nonces(mut self, nonces: Nonces) -> Self {
        self.nonces = Some(nonces);
        self
    }

    /// Binds no token to a key: a DPoP proof is not looked at, and the metadata does not offer it.
    ///
    /// What was bound before is refused rather than issued unbound.
    #[must_use]
    pub fn without_dpop(mut self) -> Self {
        self.dpop = None;
        self
    }

    /// Also accepts client ID metadata documents served by plain http from this machine.
    ///
    /// # Security
    ///
    /// The caller takes over that nobody else reaches this server: a stranger could make it send requests to services on the machine.
    #[must_use]
    pub fn dangerous_allow_loopback_documents(mut self) -> Self {
        self.loopback_documents = true;
        self
    }

    /// Answers sign-in and consent by itself, with yes, as this person.
    ///
    /// # Security
    ///
    /// Every client gets everything that it asks for; for tests only.
    #[must_use]
    pub fn dangerous_auto_consent(mut self, person: impl Into<String>) -> Self {
        self.auto_consent = Some(person.into());
        self
    }

    /// Answers whatever the `Host` header says.
    ///
    /// # Security
    ///
    /// The caller takes over the check that protects a server on a private address from pages that rebind their name to it.
    #[must_use]
    pub fn dangerous_allow_any_host(mut self) -> Self {
        self.any_host = true;
        self
    }

    /// The issuer.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The resource of this identifier, compared exactly.
    pub(crate) fn resource(&self, id: &str) -> Option<&Resource> {
        self.resources
            .iter()
            .find(|resource| resource.id.as_str() == id)
    }

    /// Every scope of every resource, once.
    pub(crate) fn scopes(&self) -> ScopeSet {
        self.resources
            .iter()
            .fold(ScopeSet::empty(), |all, resource| {
                all.union(&resource.scope_set())
            })
    }
}

impl Resource {
    /// The names of everything that can be asked for.
    pub(crate) fn scope_set(&self) -> ScopeSet {
        // `Config::and_resource` checked every name, so that the set is never the empty one in its place.
        ScopeSet::from_tokens(self.scopes.iter().map(|scope| scope.name.as_str()))
            .unwrap_or_else(|_| ScopeSet::empty())
    }
}

/// Why a configuration was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// A resource without scopes; give it at least one.
    #[error("resource {resource:?} offers no scope: give it at least one")]
    NoScopes {
        /// The resource.
        resource: String,
    },
    /// A scope whose name cannot be sent.
    #[error(
        "{name:?} is not a scope token: use printable ASCII without spaces, quotes and backslashes"
    )]
    ScopeName {
        /// The name.
        name: String,
    },
    /// DPoP with an empty set of algorithms: every proof would be refused.
    #[error("dpop has no algorithm; name at least one, ES256 for example")]
    NoProofAlgorithm,
    /// A resource that was added before.
    #[error("resource {resource:?} is there twice: remove one")]
    ResourceTwice {
        /// The resource.
        resource: String,
    },
}
