//! The decision: from a request, evidence and the time, to granted, refused, or what is needed first.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use oauth_rs::hash::sha256;
use oauth_rs::jose::Jws;
use oauth_rs::jose::jwt::AccessTokenClaims;
use oauth_rs::secret::Secret;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{Issuer, ResourceId};

use crate::binding::{self, Proved};
use crate::challenge::Challenges;
use crate::claims::{self, Signature};
use crate::config::{self, Checked, GuardConfig, InvalidConfig};
use crate::credential::{self, Presented};
use crate::evidence::{Evidence, Needs, NeedsIntrospection, NeedsKeys};
use crate::issuer::{Demand, TrustedIssuer};
use crate::memory::{Known, Remembered, TokenMemory, unique};
use crate::metadata::MetadataDocument;
use crate::operation::Role;
use crate::passed::PassedToken;
use crate::principal::{Binding, Granted, Identity, Principal};
use crate::reason::{Reason, shortened};
use crate::refused::Refused;
use crate::said::Said;
use crate::scope::Requirement;
use crate::step_up::StepUp;
use crate::token;

/// What was decided about a request.
#[derive(Clone, Debug)]
#[must_use]
pub enum Decision {
    /// The token is valid; its proof, if it needs one, is to be spent.
    Granted(Granted),
    /// There is no valid token, for this reason.
    Refused(Refused),
    /// It cannot be decided without this.
    Needs(Needs),
}

impl Decision {
    /// Granted or the reason, for those who have no means to get what is needed.
    ///
    /// # Errors
    /// The reason for the refusal; an unknown key is one, and so is an issuer that is not asked.
    pub fn into_result(self) -> Result<Granted, Refused> {
        match self {
            Self::Granted(granted) => Ok(granted),
            Self::Refused(refused) => Err(refused),
            Self::Needs(needs) => Err(needs.refused()),
        }
    }
}

/// Something that a configuration gives up, for the log of whoever starts the program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Weakness {
    /// Tokens for other services are accepted.
    #[error("tokens of {issuer} are accepted whatever their audience is")]
    AnyAudience {
        /// Whose.
        issuer: Issuer,
    },
    /// Callers' tokens go on to another service.
    #[error(
        "tokens of {issuer} whose audience has {audience} are handed on to what is behind the guard"
    )]
    PassesTokensOn {
        /// Whose.
        issuer: Issuer,
        /// For whom they have to be as well.
        audience: String,
    },
}

/// Protects one resource.
///
/// It holds configuration and nothing that changes, but for what it may be told to
/// [remember](Self::remembering); share it behind an `Arc`.
#[derive(Debug)]
pub struct Guard {
    checked: Checked,
    challenges: Challenges,
    metadata: MetadataDocument,
    memory: Option<Arc<dyn TokenMemory>>,
    id: u64,
}

/// Everything that a decision is made from.
struct Request<'a> {
    presented: Presented<'a>,
    parts: &'a Parts,
    evidence: &'a Evidence<'a>,
    now: UnixSeconds,
}

impl Request<'_> {
    fn refuse(&self, reason: Reason) -> Refused {
        Refused::of(self.presented.scheme, reason)
    }

    fn granted(&self, known: &Known, proved: Proved) -> Granted {
        let token = known.is_passed_on;
        Granted {
            principal: known.principal.clone(),
            claim: proved.claim,
            next_nonce: proved.next_nonce,
            token: token.then(|| PassedToken::new(self.presented.token)),
        }
    }
}

/// How a decision ends before the token is granted.
enum Stop {
    Refused(Refused),
    Needs(Needs),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Guard {
    /// Checks the configuration, and writes the metadata document and the challenges once.
    ///
    /// # Errors
    /// The configuration cannot protect anything; the error says what to change.
    pub fn new(config: GuardConfig) -> Result<Self, InvalidConfig> {
        let checked = config::check(config)?;
        Ok(Self {
            challenges: Challenges::new(&checked.config)?,
            metadata: MetadataDocument::new(&checked.config)?,
            checked,
            memory: None,
            id: unique(),
        })
    }

    /// Remembers tokens that it granted, so that a token that comes again costs a hash and a look-up
    /// in place of a signature check.
    ///
    /// What it decides stays the same: of a token that is remembered it looks at the time, the keys,
    /// the scheme and the sender's proof again, and the rest of it cannot change.
    #[must_use]
    pub fn remembering(mut self, memory: Arc<dyn TokenMemory>) -> Self {
        self.memory = Some(memory);
        self
    }

    /// Decides about one request, in the order of cost:
    ///
    /// 1. one token of at most 16 KiB, in the `Authorization` field, with the scheme `Bearer` or,
    ///    where it is configured, `DPoP`;
    /// 2. whose it is to validate: a token without the shape of a JWT is the introspecting issuer's,
    ///    and so is every token where no other issuer is trusted.
    ///
    /// A JWT is validated here:
    ///
    /// 3. it has the compact form, signed, without critical extensions;
    /// 4. `typ` is `at+jwt`, so no ID token passes;
    /// 5. `iss` is exactly a trusted issuer, whose keys alone are tried;
    /// 6. `alg` is one that this issuer may use;
    /// 7. the issuer has a key with the token's `kid` and `alg`; if not, its keys are needed;
    /// 8. the signature verifies with that key;
    /// 9. the claims are there, once each, with their types.
    ///
    /// About any other token its issuer's answer is needed:
    ///
    /// 10. it is active, of the type `Bearer` or, if it is bound to a key, `DPoP`, and `iss`, if there, is the
    ///     issuer.
    ///
    /// Then, for both:
    ///
    /// 11. `aud` contains exactly one of the accepted resources;
    /// 12. `exp` is in the future and `nbf`, if there, in the past, within the configured skew;
    /// 13. `sub` is there, or in an answer at least `client_id`, which then speaks for itself; they and
    ///     `jti` are not empty; `scope` is scope text;
    /// 14. a token bound to a key came with the scheme `DPoP`, and no other did;
    /// 15. it is bound as the issuer's and the resource's configuration demand;
    /// 16. a token bound to a certificate came over a connection with that certificate;
    /// 17. for a token bound to a key there is one proof, which holds for this method, address, token
    ///     and nonce (RFC 9449 section 4.3), made with that key.
    ///
    /// Does not check: that the proof was not used before, which spending the [`Granted`] does;
    /// scopes ([`require`](Self::require) does); revocation (the layer asks).
    ///
    /// Specification: RFC 9068 section 4; RFC 8725 section 3; RFC 6750 section 2; RFC 7662 section 2.2;
    /// RFC 9449 sections 4.3 and 7; RFC 8705 section 3.
    pub fn check(&self, parts: &Parts, evidence: &Evidence<'_>, now: UnixSeconds) -> Decision {
        match self.decide(parts, evidence, now) {
            Ok(granted) => Decision::Granted(granted),
            Err(Stop::Refused(refused)) => Decision::Refused(refused),
            Err(Stop::Needs(needs)) => Decision::Needs(needs),
        }
    }

    fn decide(
        &self,
        parts: &Parts,
        evidence: &Evidence<'_>,
        now: UnixSeconds,
    ) -> Result<Granted, Stop> {
        let presented = credential::find(parts, self.checked.config.dpop.is_some())?;
        let request = Request {
            presented,
            parts,
            evidence,
            now,
        };
        match self.asked_about(presented.token) {
            Some(trusted) => self.decide_by_answer(&request, trusted),
            None => self.decide_by_signature(&request),
        }
    }

    /// Decides about a token that its issuer was asked about.
    fn decide_by_answer(
        &self,
        request: &Request<'_>,
        trusted: &TrustedIssuer,
    ) -> Result<Granted, Stop> {
        let answer = request.evidence.introspection;
        let answer = answer.ok_or_else(|| introspection_of(&request.presented, trusted))?;
        if let Some(known) = answer.known_to(self.id) {
            return Ok(self.decide_again(known, request)?);
        }
        let token =
            token::active(answer.said(), trusted).map_err(|reason| request.refuse(reason))?;
        let (known, granted) = self.accept(&Said::from(token), trusted, request)?;
        answer.note(self.id, known);
        Ok(granted)
    }

    /// Decides about a JWT, by what is remembered of it or by its signature.
    fn decide_by_signature(&self, request: &Request<'_>) -> Result<Granted, Stop> {
        let keys = request.evidence.keys;
        let token = request.presented.token;
        let memory = self.memory.as_ref();
        let memory = memory.map(|memory| (memory, sha256(token.as_bytes())));
        let remembered = memory
            .as_ref()
            .and_then(|(memory, hash)| memory.recall(hash));
        // What another guard found out, or this one with other keys, need not be true here and now.
        let is_true = |of: &Remembered| of.guard == self.id && of.keys == keys.id();
        if let Some(remembered) = remembered.filter(is_true) {
            return Ok(self.decide_again(&remembered.known, request)?);
        }
        let jws = self.parse(&request.presented)?;
        let (trusted, claims) = self.validate(&jws, request)?;
        let (known, granted) = self.accept(&Said::from(&claims), trusted, request)?;
        if let Some((memory, hash)) = memory {
            let what = Remembered {
                guard: self.id,
                keys: keys.id(),
                known,
            };
            memory.remember(hash, token.len(), what);
        }
        Ok(granted)
    }

    /// The rules for what a token says, once it is known that its issuer says it.
    fn accept(
        &self,
        token: &Said<'_>,
        trusted: &TrustedIssuer,
        request: &Request<'_>,
    ) -> Result<(Known, Granted), Refused> {
        let refuse = |reason| request.refuse(reason);
        let config = &self.checked.config;
        token::check_audience(token, trusted, &self.checked.resources).map_err(refuse)?;
        token::check_expiry(token.exp, request.now, config.skew).map_err(refuse)?;
        token::check_not_before(token.nbf, request.now, config.skew).map_err(refuse)?;
        let subject = token::check_named(token).map_err(refuse)?;
        let scopes = token::read_scopes(token).map_err(refuse)?;
        let binding = Binding::of(token.cnf);
        let proved = self.check_binding(trusted.demand, &binding, request)?;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let principal = Principal::new(Identity {
            subject,
            client_id: owned(token.client_id),
            username: owned(token.username),
            organization: owned(token.organization),
            scopes,
            issuer: trusted.issuer.clone(),
            actors: token.actors.to_vec(),
            binding,
            issued_at: token.iat,
            expires_at: token.exp,
            token_id: owned(token.jti),
            grant_id: owned(token.grant_id),
            acr: owned(token.acr),
            auth_time: token.auth_time,
        });
        let known = Known {
            nbf: token.nbf,
            demand: trusted.demand,
            is_passed_on: token::is_passed_on(token, trusted),
            principal,
        };
        let granted = request.granted(&known, proved);
        Ok((known, granted))
    }

    /// Decides about a token that was found good before: what depends on the time and on the sender
    /// is looked at each time.
    fn decide_again(&self, known: &Known, request: &Request<'_>) -> Result<Granted, Refused> {
        let refuse = |reason| request.refuse(reason);
        let skew = self.checked.config.skew;
        token::check_expiry(known.principal.expires_at, request.now, skew).map_err(refuse)?;
        token::check_not_before(known.nbf, request.now, skew).map_err(refuse)?;
        let proved = self.check_binding(known.demand, &known.principal.binding, request)?;
        Ok(request.granted(known, proved))
    }

    fn check_binding(
        &self,
        demand: Demand,
        bound: &Binding,
        request: &Request<'_>,
    ) -> Result<Proved, Refused> {
        binding::check(
            &self.checked,
            [demand, self.checked.config.demand],
            &request.presented,
            bound,
            request.parts,
            request.evidence,
            request.now,
        )
    }

    /// Who is asked about a token; `None` if it is validated here.
    fn asked_about(&self, token: &str) -> Option<&TrustedIssuer> {
        let asked = self.checked.introspecting.as_ref();
        asked.filter(|_| !self.checked.has_local || shape(token) == Shape::Opaque)
    }

    /// Reads the compact form of a signed JWT.
    fn parse<'t>(&self, presented: &Presented<'t>) -> Result<Jws<'t>, Refused> {
        claims::parse(presented.token).map_err(|reason| {
            let reason = match shape(presented.token) {
                Shape::Opaque => Reason::Opaque,
                Shape::Encrypted => Reason::Encrypted,
                Shape::Signed => reason,
            };
            Refused::of(presented.scheme, reason)
        })
    }

    /// Validates a JWT with the keys of its issuer.
    fn validate<'j>(
        &self,
        jws: &'j Jws<'_>,
        request: &Request<'_>,
    ) -> Result<(&TrustedIssuer, AccessTokenClaims<'j>), Stop> {
        let refuse = |reason| request.refuse(reason);
        let keys = request.evidence.keys;
        claims::check_type(jws.header()).map_err(refuse)?;
        let unverified = jws.unverified_claims();
        let named = claims::named_issuer(jws, &unverified).map_err(refuse)?;
        let (trusted, allowed) =
            claims::find_issuer(&named, &self.checked.config.issuers).map_err(refuse)?;
        let issuer = &trusted.issuer;
        let alg = claims::check_algorithm(jws.header(), issuer, allowed).map_err(refuse)?;
        match claims::check_signature(jws, alg, issuer, keys).map_err(refuse)? {
            Signature::By(verified) => {
                let claims = claims::read(unverified, verified).map_err(refuse)?;
                Ok((trusted, claims))
            }
            Signature::NoKey => Err(Stop::Needs(Needs::Keys(NeedsKeys {
                issuer: issuer.clone(),
                kid: jws.header().kid.as_deref().map(shortened),
                scheme: request.presented.scheme,
                known: keys.keys_of(issuer).is_some(),
            }))),
        }
    }

    /// Decides whether a principal may do what needs these scopes, or scopes that cover them.
    ///
    /// # Errors
    /// [`Reason::InsufficientScope`], which names every scope that the operation needs.
    ///
    /// Specification: RFC 6750 section 3.1.
    pub fn require(&self, principal: &Principal, needed: &Requirement) -> Result<(), Refused> {
        self.require_within(principal, needed, Role::Unlimited)
    }

    /// The same for an operation of the configured table, as far as the role of the subject goes.
    ///
    /// The role is looked at first: where it does not allow the operation no token would, and the
    /// client is not told to ask for one.
    ///
    /// # Errors
    /// [`Reason::UnknownOperation`] for one that is not in the table, [`Reason::Role`], or
    /// [`Reason::InsufficientScope`].
    pub fn permit(
        &self,
        principal: &Principal,
        operation: &str,
        role: Role<'_>,
    ) -> Result<(), Refused> {
        let table = &self.checked.config.operations;
        let needed = table.requirement(operation).ok_or_else(|| {
            let operation = shortened(operation);
            Refused::of(principal.scheme(), Reason::UnknownOperation { operation })
        })?;
        self.require_within(principal, needed, role)
    }

    fn require_within(
        &self,
        principal: &Principal,
        needed: &Requirement,
        role: Role<'_>,
    ) -> Result<(), Refused> {
        let refuse = |reason| Err(Refused::of(principal.scheme(), reason));
        let hierarchy = &self.checked.config.hierarchy;
        let granted = |scope: &str| hierarchy.covers(&principal.scopes, scope);
        let (is_met, to_ask_for) = match role {
            Role::Unlimited => (needed.is_met(granted), needed.to_ask_for()),
            Role::May(scopes) => {
                let may = |scope: &str| hierarchy.covers(scopes, scope);
                if !needed.is_met(may) {
                    let needed = needed.to_ask_for();
                    return refuse(Reason::Role { needed });
                }
                (
                    needed.is_met(|scope| granted(scope) && may(scope)),
                    needed.to_ask_for_within(may),
                )
            }
        };
        if is_met {
            return Ok(());
        }
        refuse(Reason::InsufficientScope {
            needed: to_ask_for,
            granted: principal.scopes.clone(),
        })
    }

    /// Decides whether the person behind a token has signed in as an operation needs it.
    ///
    /// # Errors
    /// [`Reason::InsufficientAuthentication`], whose answer says how to sign in.
    ///
    /// Specification: RFC 9470 section 3.
    pub fn require_sign_in(
        &self,
        principal: &Principal,
        needed: &StepUp,
        now: UnixSeconds,
    ) -> Result<(), Refused> {
        needed
            .check(principal, now, self.checked.config.skew)
            .map_err(|reason| Refused::of(principal.scheme(), reason))
    }

    /// The answer to a refused request: status, `WWW-Authenticate` and a JSON body.
    ///
    /// The [`Refused`] is put into the response's extensions, for a log.
    pub fn response(&self, refused: &Refused) -> Response<Bytes> {
        self.challenges.response(refused)
    }

    /// The metadata document, and where it is served.
    pub fn metadata(&self) -> &MetadataDocument {
        &self.metadata
    }

    /// The resource that is protected.
    pub fn resource(&self) -> &ResourceId {
        &self.checked.config.resource
    }

    /// What this configuration gives up; a program logs each once when it starts.
    pub fn weaknesses(&self) -> impl Iterator<Item = Weakness> {
        let issuers = self.checked.config.issuers.iter();
        issuers.flat_map(|trusted| {
            let issuer = &trusted.issuer;
            let any = trusted.any_audience.then(|| Weakness::AnyAudience {
                issuer: issuer.clone(),
            });
            let passes = trusted.passes_on.as_ref();
            let passes = passes.map(|audience| Weakness::PassesTokensOn {
                issuer: issuer.clone(),
                audience: audience.clone(),
            });
            any.into_iter().chain(passes)
        })
    }
}

fn introspection_of(presented: &Presented<'_>, trusted: &TrustedIssuer) -> Stop {
    Stop::Needs(Needs::Introspection(NeedsIntrospection {
        issuer: trusted.issuer.clone(),
        token: Secret::new(presented.token),
        scheme: presented.scheme,
    }))
}

/// What a token looks like, before any of it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Signed,
    Encrypted,
    Opaque,
}

// RFC 7515 section 3.1 and RFC 7516 section 3.1: three parts, and five.
fn shape(token: &str) -> Shape {
    match token.bytes().filter(|byte| *byte == b'.').count() {
        2 => Shape::Signed,
        4 => Shape::Encrypted,
        _ => Shape::Opaque,
    }
}
