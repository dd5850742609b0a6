//! Every reason for which a flow gives up.

use thiserror::Error;

use super::access::AccessRefused;
use super::machine::MAX_ATTEMPTS;
use crate::client::authorize::CallbackRefused;
use crate::client::discover::DiscoveryFailed;
use crate::client::exchange::ExchangeFailed;
use crate::uri::{InvalidUri, Issuer, ResourceId};

/// Why an address that another party names is not used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddressRefused {
    /// It is not an address of the kind that is wanted; it may hold credentials, so it is not shown.
    #[error("cannot be used: {0}")]
    Invalid(InvalidUri),
    /// A server elsewhere names an address on this machine.
    #[error("is on this machine, and whoever names it is not")]
    Loopback,
}

impl AddressRefused {
    /// Why an endpoint or document is not asked.
    pub(in crate::client) fn endpoint(url: &str) -> Self {
        ResourceId::parse(url).map_or_else(Self::Invalid, |_| Self::Loopback)
    }

    /// Why an authorization server is not asked.
    pub(in crate::client) fn issuer(text: &str) -> Self {
        Issuer::parse(text).map_or_else(Self::Invalid, |_| Self::Loopback)
    }
}

/// Why a flow gave up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FlowFailed {
    /// No metadata of the resource or of its authorization server could be used.
    #[error("discovery failed at {url}: {reason}")]
    Discovery {
        /// The last address that was tried.
        url: String,
        /// What was wrong there.
        reason: DiscoveryFailed,
    },
    /// A server could not be reached.
    #[error("the {what} could not be reached: {why}")]
    Unreachable {
        /// Which step it was.
        what: &'static str,
        /// What the sender of requests says.
        why: String,
    },
    /// The resource names no authorization server that could be used.
    #[error("the resource names no authorization server")]
    NoAuthorizationServer,
    /// The authorization server has no such endpoint.
    #[error("the authorization server announces no {0}")]
    NoEndpoint(&'static str),
    /// There is no way to become a client of this authorization server.
    #[error(
        "the authorization server {issuer} offers no registration that we can use; \
         register a client there and give its identifier{}",
        if *documents { ", or publish a client ID metadata document and give its address" } else { "" }
    )]
    NoRegistration {
        /// The issuer.
        issuer: String,
        /// Whether it reads client ID metadata documents.
        documents: bool,
    },
    /// An address that another party names is not one to go to.
    #[error("the address of the {what} {reason}")]
    Address {
        /// What is there.
        what: &'static str,
        /// What is wrong with it.
        reason: AddressRefused,
    },
    /// The identifier that was given is for another authorization server than the resource names.
    #[error("the client identifier is for {expected}, but the server now uses {found}")]
    OtherIssuer {
        /// Where the identifier is registered.
        expected: String,
        /// What the resource's metadata names.
        found: String,
    },
    /// There is a secret, and nothing says whose it is.
    #[error("a client secret is given without the issuer that it belongs to")]
    UnboundSecret,
    /// Registration was refused.
    #[error("registration failed: {0}")]
    Registration(ExchangeFailed),
    /// The authorization request could not be made.
    #[error("authorization cannot start: {0}")]
    Authorization(ExchangeFailed),
    /// What the browser brought back was refused.
    #[error(transparent)]
    Callback(CallbackRefused),
    /// The authorization server does not list the grant that was to be used.
    #[error("the authorization server does not offer the grant {0}")]
    GrantNotOffered(&'static str),
    /// The identity provider gave no assertion.
    #[error("the identity provider gave no assertion: {0}")]
    IdentityProvider(ExchangeFailed),
    /// The resource refused a token that had just been issued for it.
    #[error("the server refuses the token that was just issued for it")]
    TokenRefused,
    /// The request for tokens failed, or was refused.
    #[error("the token request failed: {0}")]
    Token(ExchangeFailed),
    /// The refresh failed in a way that signing in again would not mend.
    #[error("refreshing failed: {0}")]
    Refresh(ExchangeFailed),
    /// Tokens are to be bound to a key, and there is none.
    #[error("the server takes only tokens that are bound to a key (DPoP), and no key was given")]
    KeyNeeded,
    /// Tokens are to be bound to a key of another algorithm.
    #[error(
        "the server takes only tokens that are bound to a key (DPoP), and not to one of {0}; \
         give a key of an algorithm that it lists"
    )]
    KeyAlgorithm(&'static str),
    /// A bound token was asked for and is needed, and another one was issued.
    #[error("the token that was issued is not bound to our key, and it has to be")]
    NotBound,
    /// The resource does not accept our proofs; the usual reason is a clock.
    #[error("the server does not accept the proofs of our key; look at the clock of this machine")]
    ProofRefused,
    /// A proof could not be made.
    #[error(transparent)]
    Proof(AccessRefused),
    /// The resource refused, and not for want of scope.
    #[error("the server forbids this ({0})")]
    Forbidden(http::StatusCode),
    /// Signed in again and again, and still the resource wants something else.
    #[error(
        "still refused after signing in {MAX_ATTEMPTS} times or asking for the same scope again and again"
    )]
    TooManyAttempts,
    /// An answer was handed in that no step had asked for.
    #[error("an answer was handed in that was not asked for")]
    Unexpected,
}
