//! The decision: from a request, a snapshot of keys and the time, to granted or refused.

use std::borrow::Cow;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{Issuer, ResourceId};

use crate::claims;
use crate::config::{self, GuardConfig, InvalidConfig};
use crate::credential::bearer_token;
use crate::keys::KeySnapshot;
use crate::metadata::MetadataDocument;
use crate::refused::{Challenges, Refused};
use crate::scope::Requirement;

/// Who makes the request: what a valid token says.
///
/// It is made by [`Guard::check`] alone and does not hold the token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    /// `sub`: whom the token speaks for; unique within the issuer only.
    pub subject: String,
    /// `client_id`: the client that the token was issued to.
    pub client_id: String,
    /// `scope`: what was granted.
    pub scopes: ScopeSet,
    /// The issuer, one of those that are trusted.
    pub issuer: Issuer,
    /// `exp`: when the token expires.
    pub expires_at: UnixSeconds,
    /// `jti`: the token's identifier.
    pub token_id: String,
    /// The grant that the token came from, where the issuer says so; for revocation.
    pub grant_id: Option<String>,
}

/// What was decided about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Decision {
    /// The token is valid.
    Granted(Principal),
    /// There is no valid token, for this reason.
    Refused(Refused),
}

impl Decision {
    /// The principal, or the reason.
    ///
    /// # Errors
    /// The reason for the refusal.
    pub fn into_result(self) -> Result<Principal, Refused> {
        match self {
            Self::Granted(principal) => Ok(principal),
            Self::Refused(refused) => Err(refused),
        }
    }
}

/// Protects one resource.
///
/// It holds configuration and nothing that changes; share it behind an `Arc`.
#[derive(Debug)]
pub struct Guard {
    config: GuardConfig,
    challenges: Challenges,
    metadata: MetadataDocument,
}

impl Guard {
    /// Checks the configuration, and writes the metadata document and the challenge once.
    ///
    /// # Errors
    /// The configuration cannot protect anything; the error says what to change.
    pub fn new(config: GuardConfig) -> Result<Self, InvalidConfig> {
        config::check(&config)?;
        Ok(Self {
            challenges: Challenges::new(&config)?,
            metadata: MetadataDocument::new(&config)?,
            config,
        })
    }

    /// Decides about one request, in the order of cost:
    ///
    /// 1. one bearer token, in the `Authorization` field;
    /// 2. it has the compact form, within the size limit, signed, without critical extensions;
    /// 3. `typ` is `at+jwt`, so no ID token passes;
    /// 4. `alg` is one that a trusted issuer may use;
    /// 5. a key of a trusted issuer has the token's `kid` and `alg`;
    /// 6. the signature verifies with that key;
    /// 7. the claims are there, once each, with their types, and without `cnf`: a token that is
    ///    bound to a key is no bearer token;
    /// 8. `iss` is exactly the issuer whose key verified the signature;
    /// 9. `aud` contains exactly this resource;
    /// 10. `exp` is in the future and `nbf`, if there, in the past, within the configured skew;
    /// 11. `sub`, `client_id` and `jti` are not empty, and `scope` is scope text.
    ///
    /// Does not check: scopes ([`require`](Self::require) does), revocation (the layer asks), or
    /// that the sender is the one the token was issued to: these are bearer tokens.
    ///
    /// Specification: RFC 9068 section 4; RFC 8725 section 3; RFC 6750 section 2; RFC 7800
    /// section 3.1.
    pub fn check(&self, parts: &Parts, keys: &KeySnapshot, now: UnixSeconds) -> Decision {
        match self.principal(parts, keys, now) {
            Ok(principal) => Decision::Granted(principal),
            Err(refused) => Decision::Refused(refused),
        }
    }

    fn principal(
        &self,
        parts: &Parts,
        keys: &KeySnapshot,
        now: UnixSeconds,
    ) -> Result<Principal, Refused> {
        let config = &self.config;
        let token = bearer_token(parts)?;
        let jws = claims::parse(token)?;
        claims::check_type(jws.header())?;
        let alg = claims::check_algorithm(jws.header(), &config.issuers)?;
        let signed = claims::check_signature(&jws, alg, &config.issuers, keys)?;
        let read = claims::read(&signed)?;
        let issuer = claims::check_issuer(&read, &signed)?;
        claims::check_audience(&read, &config.resource)?;
        claims::check_expiry(&read, now, config.skew)?;
        claims::check_not_before(&read, now, config.skew)?;
        claims::check_named(&read)?;
        let scopes = claims::read_scopes(&read)?;
        Ok(Principal {
            subject: read.sub.into_owned(),
            client_id: read.client_id.into_owned(),
            scopes,
            issuer: issuer.clone(),
            expires_at: read.exp,
            token_id: read.jti.into_owned(),
            grant_id: read.grant_id.map(Cow::into_owned),
        })
    }

    /// Decides whether a principal may do what needs these scopes.
    ///
    /// # Errors
    /// [`Refused::InsufficientScope`], which names every scope that the operation needs.
    ///
    /// Specification: RFC 6750 section 3.1.
    pub fn require(&self, principal: &Principal, needed: &Requirement) -> Result<(), Refused> {
        if needed.is_met_by(&principal.scopes) {
            return Ok(());
        }
        Err(Refused::InsufficientScope {
            needed: needed.to_ask_for(),
            granted: principal.scopes.clone(),
        })
    }

    /// The answer to a refused request: status, `WWW-Authenticate` and a JSON body.
    ///
    /// The reason is put into the response's extensions, for a log.
    pub fn response(&self, refused: &Refused) -> Response<Bytes> {
        self.challenges.response(refused)
    }

    /// The metadata document, and where it is served.
    pub fn metadata(&self) -> &MetadataDocument {
        &self.metadata
    }

    /// The resource that is protected.
    pub fn resource(&self) -> &ResourceId {
        &self.config.resource
    }
}
