//! One of each reason, and the whole of its answer.

use std::fmt::Write as _;
use std::time::Duration;

use oauth_rs::certificate::InvalidClientCert;
use oauth_rs::jose::dpop::{ProofRefused, Rules};
use oauth_rs::jose::jwt::AccessTokenClaims;
use oauth_rs::jose::{BadSignature, InvalidJws};
use oauth_rs::scope::InvalidScope;
use oauth_rs::uri::{Issuer, ResourceId};

use super::*;
use crate::issuer::TrustedIssuer;

/// One of each reason.
fn reasons() -> Vec<Reason> {
    let issuer = Issuer::parse("https://as.example").unwrap();
    let text = "x".to_owned();
    let scopes = |text| ScopeSet::parse(text).unwrap();
    let retry_after = Duration::from_secs(7);
    vec![
        Reason::NoToken,
        Reason::TokenInQuery,
        Reason::SeveralCredentials,
        Reason::MalformedCredentials,
        Reason::TokenTooLong { bytes: 65536 },
        Reason::Opaque,
        Reason::Encrypted,
        Reason::Malformed {
            reason: InvalidJws::Encoding,
        },
        Reason::Unsigned,
        Reason::OtherType {
            typ: Some("JWT".to_owned()),
        },
        Reason::OtherIssuer {
            received: text.clone(),
        },
        Reason::Algorithm {
            issuer: issuer.clone(),
            alg: "HS256".to_owned(),
        },
        Reason::UnknownKey {
            issuer: issuer.clone(),
            kid: Some(text.clone()),
        },
        Reason::KeysUnavailable {
            issuer: issuer.clone(),
            retry_after,
        },
        Reason::Signature {
            reason: BadSignature::Mismatch,
        },
        Reason::Claims {
            reason: AccessTokenClaims::parse(b"").unwrap_err(),
        },
        Reason::IntrospectionUnavailable {
            issuer: issuer.clone(),
            retry_after,
        },
        Reason::Inactive { issuer },
        Reason::OtherTokenType {
            token_type: text.clone(),
        },
        Reason::MissingMember { member: "sub" },
        Reason::OtherAudience {
            received: text.clone(),
        },
        Reason::Expired { ago: retry_after },
        Reason::NotYetValid { ahead: retry_after },
        Reason::EmptyClaim { claim: "sub" },
        Reason::Scope {
            reason: InvalidScope::Empty,
        },
        Reason::BoundAsBearer,
        Reason::DpopNotConfigured,
        Reason::NotBound,
        Reason::NoProof,
        Reason::Proof {
            reason: ProofRefused::Method,
        },
        Reason::Nonce {
            reason: ProofRefused::NonceMissing,
        },
        Reason::Replayed,
        Reason::ReplayWindowFull { retry_after },
        Reason::ReplayShareFull { retry_after },
        Reason::NoCertificate,
        Reason::OtherCertificate {
            received: text.clone(),
        },
        Reason::ClientCert {
            reason: InvalidClientCert::Encoding,
        },
        Reason::BindingRequired,
        Reason::Revoked,
        Reason::InsufficientAuthentication {
            acr_values: vec!["mfa".to_owned(), "hardware".to_owned()],
            max_age: Some(Duration::from_secs(60)),
            acr: None,
            age: None,
        },
        Reason::InsufficientScope {
            needed: scopes("b c"),
            granted: scopes("a"),
        },
        Reason::Role {
            needed: scopes("b"),
        },
        Reason::UnknownOperation { operation: text },
    ]
}

/// Which scheme a token that is refused for this reason came with.
fn scheme_of(reason: &Reason) -> Scheme {
    match reason {
        Reason::NotBound
        | Reason::NoProof
        | Reason::Proof { .. }
        | Reason::Nonce { .. }
        | Reason::Replayed
        | Reason::ReplayWindowFull { .. }
        | Reason::ReplayShareFull { .. } => Scheme::Dpop,
        _ => Scheme::Bearer,
    }
}

fn challenges() -> Challenges {
    let resource = ResourceId::parse("https://rs.example/mcp").unwrap();
    let issuer = TrustedIssuer::new(Issuer::parse("https://as.example").unwrap());
    let config = GuardConfig::new(resource, issuer)
        .challenge_scopes(ScopeSet::parse("a").unwrap())
        .dpop(Rules::default());
    Challenges::new(&config).unwrap()
}

/// The log line and the answer, as text.
fn written(challenges: &Challenges, reason: Reason) -> String {
    let debug = format!("{reason:?}");
    let name = debug.split([' ', '{']).next().unwrap_or_default();
    let mut text = format!("{name}: {reason}\n");
    let refused = match reason {
        Reason::Nonce { .. } => Refused::with_nonce(reason, "fresh".to_owned()),
        _ => Refused::of(scheme_of(&reason), reason),
    };
    let response = challenges.response(&refused);
    writeln!(text, "{}", response.status().as_u16()).unwrap();
    let mut fields: Vec<String> = response
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    fields.sort();
    for field in fields {
        writeln!(text, "{field}").unwrap();
    }
    writeln!(text, "{}\n", String::from_utf8_lossy(response.body())).unwrap();
    text
}

#[test]
fn every_answer_is_as_it_was() {
    let challenges = challenges();
    let now: String = reasons()
        .into_iter()
        .map(|reason| written(&challenges, reason))
        .collect();
    let before = include_str!("tests/answers.txt");
    for (now, before) in now.split("\n\n").zip(before.split("\n\n")) {
        assert_eq!(now, before);
    }
    assert_eq!(now, before);
}

#[test]
fn every_reason_is_among_them() {
    let source = include_str!("../reason.rs");
    let (_, after) = source.split_once("pub enum Reason {").unwrap();
    let (body, _) = after.split_once("\n}").unwrap();
    let indented = |line: &&str| {
        let line = line.strip_prefix("    ").unwrap_or_default();
        line.starts_with(|c: char| c.is_ascii_uppercase())
    };
    assert_eq!(reasons().len(), body.lines().filter(indented).count());
}

#[test]
fn descriptions_use_the_allowed_characters_only() {
    for reason in reasons() {
        let Some((_, description)) = reason.answer().error else {
            continue;
        };
        // RFC 6750 section 3: %x20-21 / %x23-5B / %x5D-7E.
        let allowed = |b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(description.bytes().all(allowed), "{description}");
    }
}

#[test]
fn a_wait_is_at_least_a_second() {
    let retry_after = Duration::ZERO;
    let refused = Refused::of(Scheme::Bearer, Reason::ReplayWindowFull { retry_after });
    assert_eq!(challenges().response(&refused).headers()[RETRY_AFTER], "1");
}
