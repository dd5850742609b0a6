//! What a guard is told: which resource it protects and whom it trusts; the rest has defaults.

use std::time::Duration;

use oauth_rs::jose::AlgSet;
use oauth_rs::scope::ScopeSet;
use oauth_rs::uri::{Issuer, ResourceId};

/// An authorization server whose tokens are accepted, and the algorithms it signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// Its identifier, compared byte for byte with `iss`.
    pub issuer: Issuer,
    /// The algorithms that its tokens may be signed with.
    pub algorithms: AlgSet,
}

impl TrustedIssuer {
    /// An issuer with the default algorithms: ES256, `EdDSA`, RS256 and PS256.
    pub fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            algorithms: AlgSet::DEFAULT,
        }
    }
}

/// The configuration of one protected resource.
///
/// ```
/// use oauth_rs::scope::ScopeSet;
/// use oauth_rs::uri::{Issuer, ResourceId};
/// use resource_guard::{Guard, GuardConfig, InvalidConfig, TrustedIssuer};
///
/// let resource = ResourceId::parse("https://rs.example/mcp").unwrap();
/// let issuer = TrustedIssuer::new(Issuer::parse("https://as.example").unwrap());
/// let config = GuardConfig::new(resource, issuer.clone())
///     .challenge_scopes(ScopeSet::parse("read").unwrap());
/// assert!(Guard::new(config.clone()).is_ok());
///
/// let twice = Guard::new(config.also_trusting(issuer));
/// assert!(matches!(twice, Err(InvalidConfig::IssuerTwice { .. })));
/// ```
#[derive(Clone, Debug)]
pub struct GuardConfig {
    pub(crate) resource: ResourceId,
    pub(crate) issuers: Vec<TrustedIssuer>,
    pub(crate) scopes_supported: ScopeSet,
    pub(crate) challenge_scopes: ScopeSet,
    pub(crate) resource_name: Option<String>,
    pub(crate) resource_documentation: Option<String>,
    pub(crate) skew: Duration,
}

impl GuardConfig {
    /// A resource and the issuer whose tokens it takes.
    pub fn new(resource: ResourceId, issuer: TrustedIssuer) -> Self {
        Self {
            resource,
            issuers: vec![issuer],
            scopes_supported: ScopeSet::empty(),
            challenge_scopes: ScopeSet::empty(),
            resource_name: None,
            resource_documentation: None,
            skew: DEFAULT_SKEW,
        }
    }

    /// Trusts one more issuer; a token counts only under the issuer whose key verified it.
    #[must_use]
    pub fn also_trusting(mut self, issuer: TrustedIssuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// The scopes that the metadata document names; `offline_access` is left out.
    #[must_use]
    pub fn scopes_supported(mut self, scopes: ScopeSet) -> Self {
        self.scopes_supported = without_offline_access(&scopes);
        self
    }

    /// The scopes that a client without a usable token is told to ask for; `offline_access` is
    /// left out.
    #[must_use]
    pub fn challenge_scopes(mut self, scopes: ScopeSet) -> Self {
        self.challenge_scopes = without_offline_access(&scopes);
        self
    }

    /// The name of the resource for people, in the metadata document.
    #[must_use]
    pub fn resource_name(mut self, name: impl Into<String>) -> Self {
        self.resource_name = Some(name.into());
        self
    }

    /// Where a developer reads about the resource, in the metadata document.
    #[must_use]
    pub fn resource_documentation(mut self, url: impl Into<String>) -> Self {
        self.resource_documentation = Some(url.into());
        self
    }

    /// How far the clocks of issuer and resource may differ; more than [`MAX_SKEW`] is cut to it.
    #[must_use]
    pub fn skew(mut self, skew: Duration) -> Self {
        self.skew = skew.min(MAX_SKEW);
        self
    }
}

/// Whether the scope asks for a refresh token, which is no business of a resource.
// MCP 2026-07-28, authorization: `offline_access` SHOULD NOT be in challenges or scopes_supported.
fn without_offline_access(scopes: &ScopeSet) -> ScopeSet {
    // Tokens of a set that was checked are a set again, and no longer than before.
    ScopeSet::from_tokens(scopes.iter().filter(|token| *token != "offline_access"))
        .unwrap_or_default()
}

/// Why a configuration cannot protect anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// An issuer without an algorithm: every token would be refused.
    #[error("issuer {issuer} has no algorithm; name at least one, ES256 for example")]
    NoAlgorithm {
        /// The issuer.
        issuer: Issuer,
    },
    /// The same issuer twice: which algorithms hold would depend on the order.
    #[error("issuer {issuer} is there twice; merge the two entries")]
    IssuerTwice {
        /// The issuer.
        issuer: Issuer,
    },
    /// The metadata document or the challenge cannot be written.
    #[error("{what} cannot be written; shorten the configured texts")]
    Unwritable {
        /// Which of the two.
        what: &'static str,
    },
}

/// Checks what single values cannot.
pub(crate) fn check(config: &GuardConfig) -> Result<(), InvalidConfig> {
    for (index, trusted) in config.issuers.iter().enumerate() {
        let issuer = trusted.issuer.clone();
        if trusted.algorithms.is_empty() {
            return Err(InvalidConfig::NoAlgorithm { issuer });
        }
        let mut earlier = config.issuers.iter().take(index);
        if earlier.any(|other| other.issuer == issuer) {
            return Err(InvalidConfig::IssuerTwice { issuer });
        }
    }
    Ok(())
}

/// Five seconds: machines that keep their clocks by the network differ by less than one, and the
/// cut-off fraction of a second is covered, while an expired token gains next to nothing.
pub const DEFAULT_SKEW: Duration = Duration::from_secs(5);

/// One minute: a clock that is further off is broken, and hiding that helps nobody.
// RFC 7519 section 4.1.4: the leeway is small, usually no more than a few minutes.
pub const MAX_SKEW: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> GuardConfig {
        GuardConfig::new(
            ResourceId::parse("https://rs.example").unwrap(),
            TrustedIssuer::new(Issuer::parse("https://as.example").unwrap()),
        )
    }

    #[test]
    fn skew_has_a_ceiling() {
        assert_eq!(config().skew, Duration::from_secs(5));
        assert_eq!(config().skew(Duration::ZERO).skew, Duration::ZERO);
        assert_eq!(config().skew(Duration::from_secs(61)).skew, MAX_SKEW);
    }

    #[test]
    fn offline_access_is_never_asked_for() {
        let scopes = ScopeSet::parse("a offline_access b").unwrap();
        let config = config()
            .scopes_supported(scopes.clone())
            .challenge_scopes(scopes);
        assert_eq!(config.scopes_supported.to_string(), "a b");
        assert_eq!(config.challenge_scopes.to_string(), "a b");
    }

    #[test]
    fn an_issuer_needs_an_algorithm_and_comes_once() {
        assert_eq!(check(&config()), Ok(()));
        let issuer = Issuer::parse("https://as.example").unwrap();
        let mut none = config();
        none.issuers[0].algorithms = AlgSet::NONE;
        assert_eq!(
            check(&none),
            Err(InvalidConfig::NoAlgorithm {
                issuer: issuer.clone()
            })
        );
        let twice = config().also_trusting(TrustedIssuer::new(issuer.clone()));
        assert_eq!(check(&twice), Err(InvalidConfig::IssuerTwice { issuer }));
        // Issuers are compared by their text: a final slash makes another one.
        let other = Issuer::parse("https://as.example/").unwrap();
        assert_eq!(
            check(&config().also_trusting(TrustedIssuer::new(other))),
            Ok(())
        );
    }
}
