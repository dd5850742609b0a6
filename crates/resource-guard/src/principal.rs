//! Who makes a request, and what has to be spent before anybody may know.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use oauth_rs::certificate::Thumbprint;
use oauth_rs::jose::dpop::{ReplayClaim, ReplayWindow};
use oauth_rs::jose::jwt::{Actor, Confirmation};
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::Issuer;

use crate::passed::PassedToken;
use crate::reason::Reason;
use crate::refused::{Refused, Scheme};

/// Who makes the request: an [`Identity`] that is cheap to clone.
///
/// It is made by [`Guard::check`](crate::Guard::check) alone and does not hold the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(Arc<Identity>);

impl Deref for Principal {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.0
    }
}

/// What a valid token says of whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// Whom the token speaks for.
    pub subject: Subject,
    /// `client_id`: the client that the token was issued to; a JWT always says it, an issuer that is
    /// asked need not.
    pub client_id: Option<String>,
    /// `username`: a name of the person for people, which identifies nobody; from an issuer that is
    /// asked alone.
    pub username: Option<String>,
    /// `organization_id`: the organisation that the token is about.
    pub organization: Option<String>,
    /// `scope`: what was granted.
    pub scopes: ScopeSet,
    /// The issuer, one of those that are trusted.
    pub issuer: Issuer,
    /// `act`: who acts on behalf of the subject, the one who does now first; the others are history
    /// and decide nothing (RFC 8693 section 4.1).
    pub actors: Vec<Actor>,
    /// What the sender has proved to hold.
    pub binding: Binding,
    /// `iat`: when the token was issued; a JWT always says it.
    pub issued_at: Option<UnixSeconds>,
    /// `exp`: when the token expires; a JWT always says it.
    pub expires_at: Option<UnixSeconds>,
    /// `jti`: the token's identifier; a JWT always says it.
    pub token_id: Option<String>,
    /// The grant that the token came from, where the issuer says so; for revocation.
    pub grant_id: Option<String>,
    /// `acr`: how the person signed in.
    pub acr: Option<String>,
    /// `auth_time`: when the person signed in.
    pub auth_time: Option<UnixSeconds>,
}

/// Whom a token speaks for.
///
/// The text of `Display` is for people; [`named`](Self::named) is what identifies a person.
///
/// ```
/// use resource_guard::Subject;
///
/// let person = Subject::Named("u1".to_owned());
/// let service = Subject::Client("u1".to_owned());
/// assert_eq!((person.named(), service.named()), (Some("u1"), None));
/// assert_eq!((person.to_string(), service.to_string()), ("u1".into(), "client u1".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// `sub`: a person, or what the issuer names in place of one; unique within the issuer only. A
    /// JWT always has it.
    Named(String),
    /// Nobody besides this client: the issuer that was asked names no subject, as for a client that
    /// got the token for itself.
    // RFC 7662 section 2.2: `sub` is OPTIONAL.
    Client(String),
}

impl Subject {
    /// Who is named as the subject; none where a client speaks for itself.
    pub fn named(&self) -> Option<&str> {
        match self {
            Self::Named(subject) => Some(subject),
            Self::Client(_) => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(subject) => f.write_str(subject),
            Self::Client(client) => write!(f, "client {client}"),
        }
    }
}

impl Identity {
    /// The scheme that its token was sent with.
    pub fn scheme(&self) -> Scheme {
        if self.binding.jkt.is_some() {
            Scheme::Dpop
        } else {
            Scheme::Bearer
        }
    }
}

impl Principal {
    pub(crate) fn new(identity: Identity) -> Self {
        Self(Arc::new(identity))
    }

    /// The refusal of a token that turned out not to be good any more, behind the guard: another
    /// service that knows it has refused it.
    pub fn revoked(&self) -> Refused {
        Refused::of(self.scheme(), Reason::Revoked)
    }
}

/// What a token is bound to; each was compared with what the sender holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Binding {
    /// The thumbprint of the key that signed the DPoP proof.
    pub jkt: Option<String>,
    /// The thumbprint of the TLS client certificate.
    pub certificate: Option<Thumbprint>,
}

impl Binding {
    /// What a token says that it is bound to.
    pub(crate) fn of(confirmation: Option<&Confirmation>) -> Self {
        let Some(confirmation) = confirmation else {
            return Self::default();
        };
        Self {
            jkt: confirmation.jkt.clone(),
            certificate: confirmation.certificate.clone(),
        }
    }
}

/// A valid token, whose proof, if it needs one, is still to be spent.
///
/// The principal comes out of it by [`spend`](Self::spend), so that no proof is good twice by
/// oversight.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Granted {
    pub(crate) principal: Principal,
    pub(crate) claim: Option<ReplayClaim>,
    pub(crate) next_nonce: Option<String>,
    pub(crate) token: Option<PassedToken>,
}

impl Granted {
    /// Spends the proof, if there is one, and says who makes the request.
    ///
    /// # Errors
    /// The proof was used before ([`Reason::Replayed`]), or cannot be remembered
    /// ([`Reason::ReplayWindowFull`], [`Reason::ReplayShareFull`]).
    pub fn spend(self, window: &ReplayWindow, now: UnixSeconds) -> Result<Principal, Refused> {
        if let Some(claim) = self.claim {
            let spent = window.spend(claim, now);
            spent.map_err(|why| Refused::of(Scheme::Dpop, why.into()))?;
        }
        Ok(self.principal)
    }

    /// Who the token speaks for, to ask whether it was revoked; the proof is not spent yet.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The refusal of a token that was revoked.
    pub fn revoked(self) -> Refused {
        Refused::of(self.principal.scheme(), Reason::Revoked)
    }

    /// The token, for the service behind the guard, if the configuration of its issuer hands it on.
    pub fn passed_token(&self) -> Option<&PassedToken> {
        self.token.as_ref()
    }

    /// The proof to spend, for a store that several instances share.
    pub fn claim(&self) -> Option<&ReplayClaim> {
        self.claim.as_ref()
    }

    /// A nonce that the client should use from now on, for the field `DPoP-Nonce` of the response.
    // RFC 9449 section 8.2: a new nonce may come with any response.
    pub fn next_nonce(&self) -> Option<&str> {
        self.next_nonce.as_deref()
    }

    /// The principal, with the proof unspent.
    ///
    /// # Security
    /// For those who have spent [`claim`](Self::claim) in a store of their own; otherwise whoever
    /// sees a request can send it again.
    pub fn dangerous_unspent(self) -> Principal {
        self.principal
    }

    /// The refusal of a proof that a store of your own knows already.
    pub fn replayed(self) -> Refused {
        Refused::of(self.principal.scheme(), Reason::Replayed)
    }
}
