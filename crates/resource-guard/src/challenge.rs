//! The answer to a refused request: status, challenges and body.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response};
use oauth_rs::challenge::Challenge;
use oauth_rs::error_code::ErrorCode;
use oauth_rs::scope::ScopeSet;

use crate::config::{GuardConfig, InvalidConfig};
use crate::issuer::Demand;
use crate::reason::Reason;
use crate::refused::{Refused, Scheme};

/// The field with a nonce for the client.
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// What all challenges of one resource have in common.
#[derive(Debug)]
pub(crate) struct Challenges {
    metadata_url: String,
    scopes: ScopeSet,
    /// Each scheme that is taken, with the challenge to a request without a token, written once.
    offered: Vec<(Scheme, HeaderValue)>,
    /// The algorithms of proofs, as text.
    algs: String,
}

#[derive(serde::Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// What a challenge says beyond where tokens come from.
struct Said<'a> {
    error: Option<(ErrorCode, &'a str)>,
    scopes: &'a ScopeSet,
    acr_values: &'a [String],
    max_age: Option<Duration>,
}

impl Challenges {
    pub(crate) fn new(config: &GuardConfig) -> Result<Self, InvalidConfig> {
        let mut challenges = Self {
            metadata_url: config.resource.metadata_url(),
            scopes: config.challenge_scopes.clone(),
            offered: Vec::new(),
            algs: config
                .dpop
                .map(|rules| rules.algorithms.to_string())
                .unwrap_or_default(),
        };
        // RFC 9449 section 7.2: a resource that takes both schemes offers both.
        let bearer = (config.demand != Demand::Dpop).then_some(Scheme::Bearer);
        let dpop = config.dpop.map(|_| Scheme::Dpop);
        for scheme in [bearer, dpop].into_iter().flatten() {
            let bare = challenges.write(scheme, &challenges.nothing_said());
            let Ok(bare) = HeaderValue::from_str(&bare.to_string()) else {
                let what = "the challenge";
                return Err(InvalidConfig::Unwritable { what });
            };
            challenges.offered.push((scheme, bare));
        }
        Ok(challenges)
    }

    /// Status, challenges and body for a reason, with the refusal in the extensions.
    pub(crate) fn response(&self, refused: &Refused) -> Response<Bytes> {
        let answer = refused.reason().answer();
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = answer.status;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = answer.retry_after {
            // RFC 9110 section 10.2.3: whole seconds; a client that comes at once gains nothing.
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if answer.challenge {
            for field in self.fields(refused, answer.error) {
                headers.append(WWW_AUTHENTICATE, field);
            }
        }
        let nonce = refused.nonce().map(HeaderValue::from_str);
        if let Some(Ok(nonce)) = nonce {
            headers.insert(DPOP_NONCE, nonce);
        }
        if let Some((code, description)) = answer.error {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *response.body_mut() = error_body(code, description);
        }
        response.extensions_mut().insert(refused.clone());
        response
    }

    /// A challenge for each scheme; the error is on the one that was used.
    fn fields(
        &self,
        refused: &Refused,
        error: Option<(ErrorCode, &'static str)>,
    ) -> Vec<HeaderValue> {
        let used = refused.scheme();
        let is_offered = self.offered.iter().any(|(scheme, _)| *scheme == used);
        // Whoever has a token is told what this one lacks, and not what there is besides.
        let lacks = matches!(
            refused.reason(),
            Reason::InsufficientScope { .. } | Reason::InsufficientAuthentication { .. }
        );
        self.offered
            .iter()
            .filter(|(scheme, _)| !(lacks && is_offered) || *scheme == used)
            .map(|(scheme, bare)| {
                if error.is_none() || (is_offered && *scheme != used) {
                    return bare.clone();
                }
                let said = self.said(refused.reason(), error);
                let written = self.write(*scheme, &said).to_string();
                // What a challenge prints fits a header field; the bare one was tried before.
                HeaderValue::from_str(&written).unwrap_or_else(|_| bare.clone())
            })
            .collect()
    }

    fn nothing_said(&self) -> Said<'_> {
        Said {
            error: None,
            scopes: &self.scopes,
            acr_values: &[],
            max_age: None,
        }
    }

    fn said<'a>(&'a self, reason: &'a Reason, error: Option<(ErrorCode, &'a str)>) -> Said<'a> {
        let said = Said {
            error,
            ..self.nothing_said()
        };
        match reason {
            Reason::InsufficientScope { needed, .. } => Said {
                scopes: needed,
                ..said
            },
            Reason::InsufficientAuthentication {
                acr_values,
                max_age,
                ..
            } => Said {
                acr_values,
                max_age: *max_age,
                ..said
            },
            _ => said,
        }
    }

    fn write(&self, scheme: Scheme, said: &Said<'_>) -> Challenge {
        let mut challenge = Challenge::new(scheme.as_str());
        if let Some((code, description)) = said.error {
            // RFC 6750 section 3: error and error_description, in their restricted characters.
            challenge = challenge
                .param("error", code.as_str())
                .param("error_description", description);
        }
        // RFC 9728 section 5.1: resource_metadata is the address of the metadata document.
        challenge = challenge.param("resource_metadata", &self.metadata_url);
        if !said.scopes.is_empty() {
            // RFC 6750 section 3: scope is what access needs.
            challenge = challenge.param("scope", &said.scopes.to_string());
        }
        if scheme == Scheme::Dpop {
            // RFC 9449 section 7.1: algs are the algorithms of proofs, with spaces between.
            challenge = challenge.param("algs", &self.algs);
        }
        // RFC 9470 section 3: acr_values with spaces between, max_age in seconds.
        if !said.acr_values.is_empty() {
            challenge = challenge.param("acr_values", &said.acr_values.join(" "));
        }
        if let Some(age) = said.max_age {
            challenge = challenge.param("max_age", &age.as_secs().to_string());
        }
        challenge
    }
}

fn error_body(code: ErrorCode, description: &str) -> Bytes {
    let body = ErrorBody {
        error: code.as_str(),
        error_description: description,
    };
    // A struct of two strings always serialises; were it not so, the status still says it all.
    serde_json::to_vec(&body)
        .map(Bytes::from)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
