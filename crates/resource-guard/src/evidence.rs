//! What a decision is made from besides the request and the time.

use oauth_rs::certificate::Thumbprint;
use oauth_rs::jose::dpop::Nonces;
use oauth_rs::secret::Secret;
use oauth_rs::uri::Issuer;
use std::time::Duration;

use crate::answer::IssuerAnswer;
use crate::keys::KeySnapshot;
use crate::reason::Reason;
use crate::refused::{Refused, Scheme};

/// What is known about the world when a request is decided.
///
/// ```
/// use oauth_rs::jose::JwkSet;
/// use oauth_rs::uri::Issuer;
/// use resource_guard::{Evidence, KeySnapshot};
///
/// let issuer = Issuer::parse("https://as.example").unwrap();
/// let keys = KeySnapshot::new(issuer, JwkSet::default());
/// let evidence = Evidence::of(&keys);
/// assert!(evidence.certificate.is_none());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The keys of the issuers.
    pub keys: &'a KeySnapshot,
    /// What the issuer said of this very token, if it was asked already.
    pub introspection: Option<&'a IssuerAnswer>,
    /// The client certificate of the connection, from the TLS peer or from a proxy that is trusted
    /// to say so ([`Peer`](crate::peer::Peer)).
    pub certificate: Option<&'a Thumbprint>,
    /// Where DPoP nonces come from; without one no nonce is asked for.
    pub nonces: Option<&'a Nonces>,
}

impl<'a> Evidence<'a> {
    /// Keys and nothing else.
    pub fn of(keys: &'a KeySnapshot) -> Self {
        Self {
            keys,
            introspection: None,
            certificate: None,
            nonces: None,
        }
    }
}

/// What has to be known before a request can be decided.
///
/// A shell gets it and asks [`Guard::check`](crate::Guard::check) again, or says that it cannot.
#[derive(Clone, Debug)]
#[must_use]
pub enum Needs {
    /// Newer keys of an issuer.
    Keys(NeedsKeys),
    /// What an issuer says of the token.
    Introspection(NeedsIntrospection),
}

impl Needs {
    /// Without any means to get it: an unknown key, or an issuer that cannot be asked.
    pub fn refused(self) -> Refused {
        match self {
            Self::Keys(needs) => needs.unknown(),
            Self::Introspection(needs) => needs.unavailable(DEFAULT_RETRY_AFTER),
        }
    }
}

/// A token says that it is signed with a key that is not among those that are known.
///
/// Anybody can make such a token: how often keys are fetched because of it needs a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct NeedsKeys {
    pub(crate) issuer: Issuer,
    pub(crate) kid: Option<String>,
    pub(crate) scheme: Scheme,
    pub(crate) known: bool,
}

impl NeedsKeys {
    /// Whose keys.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Which key, as the token has it, cut to 200 characters.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether any keys of the issuer were known; without any its endpoint is unlikely to answer.
    pub fn some_are_known(&self) -> bool {
        self.known
    }

    /// The keys are as new as they can be: [`Reason::UnknownKey`].
    pub fn unknown(self) -> Refused {
        Refused::of(
            self.scheme,
            Reason::UnknownKey {
                issuer: self.issuer,
                kid: self.kid,
            },
        )
    }

    /// There are no keys, since they could not be fetched: [`Reason::KeysUnavailable`].
    pub fn unavailable(self, retry_after: Duration) -> Refused {
        Refused::of(
            self.scheme,
            Reason::KeysUnavailable {
                issuer: self.issuer,
                retry_after,
            },
        )
    }
}

/// A token that only its issuer can judge.
#[derive(Clone, Debug)]
#[must_use]
pub struct NeedsIntrospection {
    pub(crate) issuer: Issuer,
    pub(crate) token: Secret,
    pub(crate) scheme: Scheme,
}

impl NeedsIntrospection {
    /// Who has to be asked.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The token, for the question and as the key of a cache (hashed).
    pub fn token(&self) -> &Secret {
        &self.token
    }

    /// The issuer cannot be asked: [`Reason::IntrospectionUnavailable`], never a bad token.
    pub fn unavailable(self, retry_after: Duration) -> Refused {
        Refused::of(
            self.scheme,
            Reason::IntrospectionUnavailable {
                issuer: self.issuer,
                retry_after,
            },
        )
    }
}

/// Ten seconds: a failed question is tried again soon, and not by everybody at once.
pub const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(10);
