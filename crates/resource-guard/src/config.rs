//! What a guard is told: which resource it protects and whom it trusts; the rest has defaults.

use std::time::Duration;

use oauth_rs::jose::dpop::Rules;
use oauth_rs::scope::ScopeSet;
use oauth_rs::uri::{Issuer, ResourceId, TargetUri};

use crate::issuer::{Demand, TrustedIssuer, Validation};
use crate::operation::{Hierarchy, Operations};

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
    pub(crate) also_accepted: Vec<ResourceId>,
    pub(crate) issuers: Vec<TrustedIssuer>,
    pub(crate) scopes_supported: ScopeSet,
    pub(crate) challenge_scopes: ScopeSet,
    pub(crate) resource_name: Option<String>,
    pub(crate) resource_documentation: Option<String>,
    pub(crate) skew: Duration,
    pub(crate) dpop: Option<Rules>,
    pub(crate) public_base: Option<String>,
    pub(crate) demand: Demand,
    pub(crate) takes_certificates: bool,
    pub(crate) operations: Operations,
    pub(crate) hierarchy: Hierarchy,
}

impl GuardConfig {
    /// A resource and the issuer whose tokens it takes.
    pub fn new(resource: ResourceId, issuer: TrustedIssuer) -> Self {
        Self {
            resource,
            also_accepted: Vec::new(),
            issuers: vec![issuer],
            scopes_supported: ScopeSet::empty(),
            challenge_scopes: ScopeSet::empty(),
            resource_name: None,
            resource_documentation: None,
            skew: DEFAULT_SKEW,
            dpop: None,
            public_base: None,
            demand: Demand::Nothing,
            takes_certificates: false,
            operations: Operations::default(),
            hierarchy: Hierarchy::default(),
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

    /// Accepts tokens for one more resource: a name that this one had before, for example.
    ///
    /// Its metadata document and its challenges name the first resource alone.
    #[must_use]
    pub fn also_accepting(mut self, resource: ResourceId) -> Self {
        self.also_accepted.push(resource);
        self
    }

    /// Takes tokens that are bound to a key, with the scheme `DPoP` and a proof by these rules.
    #[must_use]
    pub fn dpop(mut self, rules: Rules) -> Self {
        self.dpop = Some(rules);
        self
    }

    /// Says in the metadata document that tokens bound to a certificate are taken.
    ///
    /// Such a token is checked in any case; without a certificate in the evidence it is refused.
    #[must_use]
    pub fn certificates(mut self) -> Self {
        self.takes_certificates = true;
        self
    }

    /// Demands that every token is bound, whoever issued it.
    #[must_use]
    pub fn demanding(mut self, demand: Demand) -> Self {
        self.demand = demand;
        self
    }

    /// What clients write before the path of a request, such as `https://api.example`; the origin of
    /// the resource, if nothing is said. A proxy that takes a prefix off the path has it here.
    ///
    /// Proofs are compared with it, and never with the `Host` of a request.
    #[must_use]
    pub fn public_base(mut self, base: impl Into<String>) -> Self {
        self.public_base = Some(base.into());
        self
    }

    /// What operations need, for [`Guard::permit`](crate::Guard::permit).
    #[must_use]
    pub fn operations(mut self, operations: Operations) -> Self {
        self.operations = operations;
        self
    }

    /// Which scopes cover which, wherever scopes are compared.
    #[must_use]
    pub fn hierarchy(mut self, hierarchy: Hierarchy) -> Self {
        self.hierarchy = hierarchy;
        self
    }

    /// How far the clocks of issuer and resource may differ; more than [`MAX_SKEW`] is cut to it.
    #[must_use]
    pub fn skew(mut self, skew: Duration) -> Self {
        self.skew = skew.min(MAX_SKEW);
        self
    }
}

/// A configuration that was checked, with what follows from it.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) config: GuardConfig,
    /// Every resource whose tokens are accepted.
    pub(crate) resources: Vec<ResourceId>,
    /// What stands before the path in the address of a request.
    pub(crate) public_base: String,
    /// Who is asked about opaque tokens.
    pub(crate) introspecting: Option<TrustedIssuer>,
    /// Whether any issuer's tokens are validated here.
    pub(crate) has_local: bool,
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
    /// Two issuers that would be asked about the same tokens.
    #[error(
        "{issuer} is the second issuer that introspects; an opaque token does not say whose it is, so name one"
    )]
    SeveralIntrospecting {
        /// The second one.
        issuer: Issuer,
    },
    /// DPoP with an empty set of algorithms: every proof would be refused.
    #[error("dpop has no algorithm; name at least one, ES256 for example")]
    NoProofAlgorithm,
    /// A binding to keys is demanded, and no proof would be read.
    #[error("Demand::Dpop needs GuardConfig::dpop")]
    DpopNotConfigured,
    /// What stands before the paths is not an address.
    #[error("public_base {base:?} is not an address such as https://api.example")]
    PublicBase {
        /// What it is, cut to 200 characters.
        base: String,
    },
    /// The metadata document or the challenge cannot be written.
    #[error("{what} cannot be written; shorten the configured texts")]
    Unwritable {
        /// Which of the two.
        what: &'static str,
    },
}

/// Checks what single values cannot.
pub(crate) fn check(config: GuardConfig) -> Result<Checked, InvalidConfig> {
    for (index, trusted) in config.issuers.iter().enumerate() {
        check_issuer(trusted, &config)?;
        let mut earlier = config.issuers.iter().take(index);
        if earlier.any(|other| other.issuer == trusted.issuer) {
            let issuer = trusted.issuer.clone();
            return Err(InvalidConfig::IssuerTwice { issuer });
        }
    }
    if config.dpop.is_some_and(|rules| rules.algorithms.is_empty()) {
        return Err(InvalidConfig::NoProofAlgorithm);
    }
    if config.demand == Demand::Dpop && config.dpop.is_none() {
        return Err(InvalidConfig::DpopNotConfigured);
    }
    let origin = config.resource.origin();
    let base = config.public_base.as_deref().unwrap_or(origin);
    let public_base = base.strip_suffix('/').unwrap_or(base).to_owned();
    if TargetUri::parse(&public_base).is_err() || public_base.contains(['?', '#']) {
        let base = crate::reason::shortened(&public_base);
        return Err(InvalidConfig::PublicBase { base });
    }
    let mut asked = config
        .issuers
        .iter()
        .filter(|trusted| trusted.introspects());
    let introspecting = asked.next().cloned();
    // An opaque token does not say whose it is, and is shown to nobody but its issuer.
    if let Some(other) = asked.next() {
        let issuer = other.issuer.clone();
        return Err(InvalidConfig::SeveralIntrospecting { issuer });
    }
    let first = std::iter::once(&config.resource);
    let resources = first.chain(&config.also_accepted).cloned().collect();
    let has_local = config.issuers.iter().any(|trusted| !trusted.introspects());
    Ok(Checked {
        resources,
        public_base,
        introspecting,
        has_local,
        config,
    })
}

fn check_issuer(trusted: &TrustedIssuer, config: &GuardConfig) -> Result<(), InvalidConfig> {
    if matches!(trusted.validation, Validation::Jwt(algorithms) if algorithms.is_empty()) {
        let issuer = trusted.issuer.clone();
        return Err(InvalidConfig::NoAlgorithm { issuer });
    }
    if trusted.demand == Demand::Dpop && config.dpop.is_none() {
        return Err(InvalidConfig::DpopNotConfigured);
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
    use oauth_rs::jose::AlgSet;

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

    fn reason(config: GuardConfig) -> Option<InvalidConfig> {
        check(config).err()
    }

    #[test]
    fn an_issuer_needs_an_algorithm_and_comes_once() {
        assert_eq!(reason(config()), None);
        let issuer = Issuer::parse("https://as.example").unwrap();
        let trusted = TrustedIssuer::new(issuer.clone());
        let other = TrustedIssuer::new(Issuer::parse("https://other.example").unwrap());
        assert_eq!(
            reason(config().also_trusting(other.algorithms(AlgSet::NONE))),
            Some(InvalidConfig::NoAlgorithm {
                issuer: Issuer::parse("https://other.example").unwrap()
            })
        );
        let twice = config().also_trusting(trusted);
        assert_eq!(reason(twice), Some(InvalidConfig::IssuerTwice { issuer }));
        // Issuers are compared by their text: a final slash makes another one.
        let other = Issuer::parse("https://as.example/").unwrap();
        let two = config().also_trusting(TrustedIssuer::new(other));
        assert_eq!(reason(two), None);
    }

    #[test]
    fn one_issuer_is_asked_about_opaque_tokens() {
        let issuer = |text| TrustedIssuer::introspecting(Issuer::parse(text).unwrap());
        let one = config().also_trusting(issuer("https://a.example"));
        let checked = check(one.clone()).unwrap();
        assert!(checked.has_local && checked.introspecting.is_some());
        assert_eq!(
            reason(one.also_trusting(issuer("https://b.example"))),
            Some(InvalidConfig::SeveralIntrospecting {
                issuer: Issuer::parse("https://b.example").unwrap()
            })
        );
    }

    #[test]
    fn what_is_demanded_has_to_be_possible() {
        let issuer = Issuer::parse("https://b.example").unwrap();
        let trusted = TrustedIssuer::new(issuer).demanding(Demand::Dpop);
        for config in [
            config().demanding(Demand::Dpop),
            config().also_trusting(trusted),
        ] {
            assert_eq!(
                reason(config.clone()),
                Some(InvalidConfig::DpopNotConfigured)
            );
            assert_eq!(reason(config.dpop(Rules::default())), None);
        }
        let rules = Rules {
            algorithms: AlgSet::NONE,
            ..Rules::default()
        };
        assert_eq!(
            reason(config().dpop(rules)),
            Some(InvalidConfig::NoProofAlgorithm)
        );
    }

    #[test]
    fn the_public_base_is_an_address() {
        let base = |config| check(config).unwrap().public_base;
        assert_eq!(base(config()), "https://rs.example");
        assert_eq!(
            base(config().public_base("https://api.example/v1/")),
            "https://api.example/v1"
        );
        for text in ["", "api.example", "/v1", "https://api.example?x", "ftp://x"] {
            assert!(
                matches!(
                    reason(config().public_base(text)),
                    Some(InvalidConfig::PublicBase { .. })
                ),
                "{text}"
            );
        }
    }
}
