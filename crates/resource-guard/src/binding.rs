//! Whether the sender of a token is the one it was bound to (RFC 9449, RFC 8705).

use std::cell::Cell;

use http::request::Parts;
use oauth_rs::certificate::Thumbprint;
use oauth_rs::jose::dpop::{self, ProofRefused, ReplayClaim, Rules, Sent};
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::TargetUri;

use crate::config::Checked;
use crate::credential::Presented;
use crate::evidence::Evidence;
use crate::issuer::Demand;
use crate::principal::Binding;
use crate::reason::Reason;
use crate::refused::{Refused, Scheme};

/// What came with the proof of the sender, if one was needed.
#[derive(Default)]
pub(crate) struct Proved {
    pub(crate) claim: Option<ReplayClaim>,
    pub(crate) next_nonce: Option<String>,
}

/// Compares what the token is bound to with what the sender holds: scheme, demands, certificate, and
/// the proof last, since it is good once.
pub(crate) fn check(
    checked: &Checked,
    demands: [Demand; 2],
    presented: &Presented<'_>,
    bound: &Binding,
    parts: &Parts,
    evidence: &Evidence<'_>,
    now: UnixSeconds,
) -> Result<Proved, Refused> {
    let scheme = presented.scheme;
    let refuse = |reason| Refused::of(scheme, reason);
    let (jkt, certificate) = (bound.jkt.as_deref(), bound.certificate.as_ref());
    check_scheme(scheme, jkt, checked.config.dpop.is_some()).map_err(refuse)?;
    for demand in demands {
        check_demand(demand, jkt, certificate).map_err(refuse)?;
    }
    check_certificate(certificate, evidence.certificate).map_err(refuse)?;
    match (jkt, &checked.config.dpop) {
        (Some(jkt), Some(rules)) => {
            let proof = Proof {
                base: &checked.public_base,
                rules,
                token: presented.token,
                jkt,
            };
            proof.check(parts, evidence, now)
        }
        _ => Ok(Proved::default()),
    }
}

fn check_scheme(scheme: Scheme, jkt: Option<&str>, takes_dpop: bool) -> Result<(), Reason> {
    match (scheme, jkt) {
        (Scheme::Bearer, None) => Ok(()),
        // RFC 9449 section 7.2: a bound token as Bearer MUST be refused.
        (Scheme::Bearer, Some(_)) if !takes_dpop => Err(Reason::DpopNotConfigured),
        (Scheme::Bearer, Some(_)) => Err(Reason::BoundAsBearer),
        // RFC 9449 section 7.1: the scheme is for tokens that are bound to the proof's key.
        (Scheme::Dpop, None) => Err(Reason::NotBound),
        (Scheme::Dpop, Some(_)) => Ok(()),
    }
}

fn check_demand(
    demand: Demand,
    jkt: Option<&str>,
    certificate: Option<&Thumbprint>,
) -> Result<(), Reason> {
    let is_met = match demand {
        Demand::Nothing => true,
        Demand::Any => jkt.is_some() || certificate.is_some(),
        Demand::Dpop => jkt.is_some(),
        Demand::Certificate => certificate.is_some(),
    };
    if is_met {
        Ok(())
    } else {
        Err(Reason::BindingRequired)
    }
}

// RFC 8705 section 3: the certificate of the connection MUST be the one that the token names.
fn check_certificate(bound: Option<&Thumbprint>, shown: Option<&Thumbprint>) -> Result<(), Reason> {
    match (bound, shown) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(Reason::NoCertificate),
        (Some(bound), Some(shown)) if bound == shown => Ok(()),
        (Some(_), Some(shown)) => Err(Reason::OtherCertificate {
            received: shown.as_str().to_owned(),
        }),
    }
}

/// What a proof has to be about.
struct Proof<'a> {
    base: &'a str,
    rules: &'a Rules,
    token: &'a str,
    jkt: &'a str,
}

impl Proof<'_> {
    fn check(
        &self,
        parts: &Parts,
        evidence: &Evidence<'_>,
        now: UnixSeconds,
    ) -> Result<Proved, Refused> {
        let refuse = |reason: ProofRefused| match (&reason, evidence.nonces) {
            // RFC 9449 section 9: the new nonce comes with the refusal.
            (ProofRefused::NonceMissing | ProofRefused::Nonce, Some(nonces)) => {
                Refused::with_nonce(Reason::Nonce { reason }, nonces.fresh(now))
            }
            _ => Refused::of(Scheme::Dpop, Reason::Proof { reason }),
        };
        let proof = dpop::header(&parts.headers)
            .map_err(refuse)?
            .ok_or_else(|| Refused::of(Scheme::Dpop, Reason::NoProof))?;
        // RFC 9449 section 4.3 rule 9: htu is the address as the client sees it. The origin is from
        // configuration: what a request says of its host is the sender's to choose.
        let uri = TargetUri::parse(&format!("{}{}", self.base, parts.uri.path()))
            .map_err(|_| refuse(ProofRefused::Uri))?;
        let is_old = Cell::new(false);
        let is_current = |nonce: &str| {
            evidence.nonces.is_some_and(|nonces| {
                is_old.set(!nonces.is_fresh(nonce, now));
                nonces.is_current(nonce, now)
            })
        };
        let sent = Sent {
            method: &parts.method,
            uri: &uri,
            access_token: Some(self.token),
            nonce: evidence
                .nonces
                .map(|_| &is_current as &dyn Fn(&str) -> bool),
        };
        let verified = dpop::verify(proof, &sent, self.rules, now).map_err(refuse)?;
        // RFC 9449 section 7.1: the token is bound to the key of the proof.
        verified.check_key(self.jkt).map_err(refuse)?;
        let next_nonce = evidence
            .nonces
            .filter(|_| is_old.get())
            .map(|nonces| nonces.fresh(now));
        Ok(Proved {
            claim: Some(ReplayClaim::new(&verified, &uri)),
            next_nonce,
        })
    }
}
