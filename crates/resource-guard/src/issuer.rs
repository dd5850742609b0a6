//! Whose tokens are accepted, and how they are validated: a property of the issuer.

use oauth_rs::jose::AlgSet;
use oauth_rs::uri::Issuer;

/// An authorization server whose tokens are accepted.
///
/// Its tokens are either JWTs, validated here with its keys, or it is asked about each of them.
///
/// ```
/// use oauth_rs::jose::{Alg, AlgSet};
/// use oauth_rs::uri::Issuer;
/// use resource_guard::{Demand, TrustedIssuer};
///
/// let local = TrustedIssuer::new(Issuer::parse("https://as.example").unwrap())
///     .algorithms(AlgSet::NONE.with(Alg::EdDsa))
///     .demanding(Demand::Any);
/// let asked = TrustedIssuer::introspecting(Issuer::parse("https://other.example").unwrap());
/// assert!(!local.introspects() && asked.introspects());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedIssuer {
    pub(crate) issuer: Issuer,
    pub(crate) validation: Validation,
    pub(crate) demand: Demand,
    pub(crate) any_audience: bool,
    pub(crate) passes_on: Option<String>,
}

/// How the tokens of an issuer are validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validation {
    /// Here, with the keys of the issuer and these algorithms.
    Jwt(AlgSet),
    /// By the issuer, which is asked.
    Introspection,
}

/// Which binding a token has to have; a binding that a token has is checked in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Demand {
    /// None: bearer tokens are accepted.
    #[default]
    Nothing,
    /// One of the two.
    Any,
    /// To a key, proved with DPoP.
    Dpop,
    /// To a TLS client certificate.
    Certificate,
}

impl TrustedIssuer {
    /// An issuer of JWTs (RFC 9068), signed with ES256, `EdDSA`, RS256 or PS256.
    pub fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            validation: Validation::Jwt(AlgSet::DEFAULT),
            demand: Demand::Nothing,
            any_audience: false,
            passes_on: None,
        }
    }

    /// An issuer that is asked about each token (RFC 7662).
    ///
    /// Every token without the shape of a JWT is its. One with that shape is its only where no other
    /// issuer is trusted: who else it may be of is for the keys to say, and it is shown to nobody.
    pub fn introspecting(issuer: Issuer) -> Self {
        Self {
            validation: Validation::Introspection,
            ..Self::new(issuer)
        }
    }

    /// The algorithms that its JWTs may be signed with, in place of the default ones; nothing
    /// changes for an issuer that is asked.
    #[must_use]
    pub fn algorithms(mut self, algorithms: AlgSet) -> Self {
        if let Validation::Jwt(own) = &mut self.validation {
            *own = algorithms;
        }
        self
    }

    /// Demands that its tokens are bound.
    #[must_use]
    pub fn demanding(mut self, demand: Demand) -> Self {
        self.demand = demand;
        self
    }

    /// Accepts its tokens whatever their audience is, and without any.
    ///
    /// # Security
    /// A token that was issued for another service is then good here, and whoever runs that service
    /// can use it here in the name of its users. It is for issuers that know no audience and serve
    /// this resource alone. [`Guard::weaknesses`](crate::Guard::weaknesses) names it, for the log.
    #[must_use]
    pub fn dangerous_accept_any_audience(mut self) -> Self {
        self.any_audience = true;
        self
    }

    /// Hands the token of a request to the service behind the guard, as a
    /// [`PassedToken`](crate::PassedToken), if it is for this other service as well: if its audience
    /// contains `audience`.
    ///
    /// Without it no service behind a guard ever gets a token. A token that is bound to a key or a
    /// certificate is not handed on: whoever has it cannot use it.
    ///
    /// # Security
    /// Whatever is behind the guard can then act as the caller, wherever the token is good. It is for
    /// a server whose users' tokens name both itself and the API that it speaks to; anywhere else the
    /// server needs a credential of its own for that API. Together with
    /// [`dangerous_accept_any_audience`](Self::dangerous_accept_any_audience) every token is handed
    /// on. [`Guard::weaknesses`](crate::Guard::weaknesses) names it, for the log.
    // MCP 2026-07-28, authorization, "Access Token Privilege Restriction": a token that is for this
    // server alone is never sent to another one.
    #[must_use]
    pub fn dangerous_pass_token_on_to(mut self, audience: impl Into<String>) -> Self {
        self.passes_on = Some(audience.into());
        self
    }

    /// Who it is.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Whether it is asked about its tokens.
    pub fn introspects(&self) -> bool {
        self.validation == Validation::Introspection
    }
}
