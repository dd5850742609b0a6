//! Tokens that their issuer is asked about (RFC 7662): an answer that is good, one change, the exact
//! reason.

use std::time::Duration;

use http::request::Parts;
use oauth_rs::certificate::Thumbprint;
use oauth_rs::introspection::Introspection;
use oauth_rs::scope::InvalidScope;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{Issuer, ResourceId};
use resource_guard::{
    Decision, Evidence, Guard, GuardConfig, IssuerAnswer, KeySnapshot, Needs, Principal, Reason,
    Refused, ReplayWindow, Subject, TrustedIssuer, Weakness,
};
use serde_json::{Value, json};

use crate::support::{ISSUER, NOW, RESOURCE, issuer, request};

const OTHER: &str = "https://rs.example/old";

fn trusted() -> TrustedIssuer {
    TrustedIssuer::introspecting(issuer())
}

fn guard(trusted: TrustedIssuer) -> Guard {
    let resource = ResourceId::parse(RESOURCE).unwrap();
    let other = ResourceId::parse(OTHER).unwrap();
    Guard::new(GuardConfig::new(resource, trusted).also_accepting(other)).unwrap()
}

fn answer() -> Value {
    json!({
        "active": true,
        "iss": ISSUER,
        "aud": RESOURCE,
        "sub": "user-1",
        "client_id": "client-1",
        "scope": "a b",
        "token_type": "Bearer",
        "exp": 1600,
        "act": {"sub": "agent", "act": {"sub": "earlier"}},
        "acr": "level2",
        "auth_time": 900,
    })
}

fn but(name: &str, value: Value) -> Value {
    let mut answer = answer();
    answer[name] = value;
    if answer[name].is_null() {
        answer.as_object_mut().unwrap().remove(name);
    }
    answer
}

fn decide(guard: &Guard, parts: &Parts, answer: &Value) -> Result<Principal, Refused> {
    let answer = Introspection::parse(answer.to_string().as_bytes()).unwrap();
    let answer = IssuerAnswer::from(answer);
    let keys = KeySnapshot::default();
    let evidence = Evidence {
        introspection: Some(&answer),
        ..Evidence::of(&keys)
    };
    let decision = guard.check(parts, &evidence, NOW);
    decision.into_result()?.spend(&ReplayWindow::new(1), NOW)
}

fn reason(answer: &Value) -> Reason {
    let refused = decide(&guard(trusted()), &request("opaque"), answer).unwrap_err();
    refused.reason().clone()
}

#[test]
fn an_active_token_for_this_resource_is_granted() {
    let principal = decide(&guard(trusted()), &request("opaque"), &answer()).unwrap();
    assert_eq!(principal.subject.named(), Some("user-1"));
    assert_eq!(principal.client_id.as_deref(), Some("client-1"));
    assert_eq!(principal.scopes.to_string(), "a b");
    assert_eq!(principal.issuer, issuer());
    assert_eq!(principal.expires_at, Some(UnixSeconds(1600)));
    assert_eq!(principal.token_id, None);
    let actors: Vec<&str> = principal.actors.iter().map(|a| a.sub.as_str()).collect();
    assert_eq!(actors, ["agent", "earlier"]);
    assert_eq!(principal.acr.as_deref(), Some("level2"));
    assert_eq!(principal.auth_time, Some(UnixSeconds(900)));
    for harmless in [
        but("aud", json!(["https://x.example", OTHER])),
        but("iss", Value::Null),
        but("client_id", Value::Null),
        but("scope", Value::Null),
        but("exp", Value::Null),
        but("token_type", json!("bearer")),
        but("token_type", Value::Null),
        but("act", Value::Null),
    ] {
        let got = decide(&guard(trusted()), &request("opaque"), &harmless);
        assert!(got.is_ok(), "{harmless} {got:?}");
    }
}

#[test]
fn a_client_without_a_subject_speaks_for_itself_and_for_nobody_else() {
    let answer = but("sub", Value::Null);
    let principal = decide(&guard(trusted()), &request("opaque"), &answer).unwrap();
    assert_eq!(principal.subject, Subject::Client("client-1".to_owned()));
    assert_eq!(principal.subject.named(), None);
    // A subject that is named stays one, also where it is the client.
    let answer = but("sub", json!("client-1"));
    let principal = decide(&guard(trusted()), &request("opaque"), &answer).unwrap();
    assert_eq!(principal.subject, Subject::Named("client-1".to_owned()));
}

#[test]
fn what_the_answer_says_of_person_and_organisation_reaches_the_principal() {
    let mut answer = but("username", json!("a@b.example"));
    answer["organization_id"] = json!("org-1");
    let principal = decide(&guard(trusted()), &request("opaque"), &answer).unwrap();
    assert_eq!(principal.username.as_deref(), Some("a@b.example"));
    assert_eq!(principal.organization.as_deref(), Some("org-1"));
}

#[test]
fn an_answer_that_is_used_again_is_looked_at_as_the_first_time() {
    let mut said = but("nbf", json!(1000));
    said["cnf"] = json!({"x5t#S256": Thumbprint::of_der(b"own").as_str()});
    let answer = Introspection::parse(said.to_string().as_bytes()).unwrap();
    let answer = IssuerAnswer::from(answer);
    let (own, other) = (Thumbprint::of_der(b"own"), Thumbprint::of_der(b"other"));
    let keys = KeySnapshot::default();
    let (first, second) = (guard(trusted()), guard(trusted()));
    let at = |guard: &Guard, now, certificate| {
        let evidence = Evidence {
            introspection: Some(&answer),
            certificate,
            ..Evidence::of(&keys)
        };
        let decision = guard.check(&request("opaque"), &evidence, UnixSeconds(now));
        let granted = decision
            .into_result()
            .map_err(|refused| refused.reason().clone());
        granted.map(|granted| granted.dangerous_unspent().subject.to_string())
    };
    // Whether it was granted before or not, and by this guard or by another one.
    for _ in 0..2 {
        for guard in [&first, &second] {
            assert!(matches!(
                at(guard, 1605, Some(&own)),
                Err(Reason::Expired { .. })
            ));
            assert!(matches!(
                at(guard, 990, Some(&own)),
                Err(Reason::NotYetValid { .. })
            ));
            assert_eq!(at(guard, 1100, None), Err(Reason::NoCertificate));
            let refused = at(guard, 1100, Some(&other));
            assert!(matches!(refused, Err(Reason::OtherCertificate { .. })));
            assert_eq!(at(guard, 1100, Some(&own)), Ok("user-1".to_owned()));
        }
    }
    // One that serves another resource does not take over what the first has found.
    let elsewhere = ResourceId::parse("https://else.example").unwrap();
    let elsewhere = Guard::new(GuardConfig::new(elsewhere, trusted())).unwrap();
    let refused = at(&elsewhere, 1100, Some(&own));
    assert!(matches!(refused, Err(Reason::OtherAudience { .. })));
}

#[test]
fn each_refusal() {
    let audience = |received: &str| Reason::OtherAudience {
        received: received.to_owned(),
    };
    let empty = |claim| Reason::EmptyClaim { claim };
    let token_type = |token_type: &str| Reason::OtherTokenType {
        token_type: token_type.to_owned(),
    };
    let inactive = Reason::Inactive { issuer: issuer() };
    let mut nobody = but("sub", Value::Null);
    nobody.as_object_mut().unwrap().remove("client_id");
    for (answer, expected) in [
        (but("active", json!(false)), inactive.clone()),
        (json!({}), inactive),
        (but("aud", Value::Null), audience("")),
        (
            but("aud", json!("https://rs.example")),
            audience("https://rs.example"),
        ),
        (but("aud", json!("client-1")), audience("client-1")),
        (
            but("iss", json!("https://as.example/")),
            Reason::OtherIssuer {
                received: "https://as.example/".to_owned(),
            },
        ),
        (
            but("token_type", json!("refresh_token")),
            token_type("refresh_token"),
        ),
        // It is said to be bound, and nobody says to what.
        (but("token_type", json!("DPoP")), token_type("DPoP")),
        (
            but(
                "cnf",
                json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
            ),
            token_type("Bearer"),
        ),
        (
            but("exp", json!(1095)),
            Reason::Expired {
                ago: Duration::from_secs(5),
            },
        ),
        (
            but("nbf", json!(1106)),
            Reason::NotYetValid {
                ahead: Duration::from_secs(6),
            },
        ),
        (nobody, Reason::MissingMember { member: "sub" }),
        (but("sub", json!("")), empty("sub")),
        (but("client_id", json!("")), empty("client_id")),
        (but("jti", json!("")), empty("jti")),
        (
            but("scope", json!("a  b")),
            Reason::Scope {
                reason: InvalidScope::Empty,
            },
        ),
    ] {
        assert_eq!(reason(&answer), expected, "{answer}");
    }
}

#[test]
fn a_binding_counts_whoever_says_so() {
    let thumbprint = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
    let bound = but("cnf", json!({"x5t#S256": thumbprint}));
    assert_eq!(reason(&bound), Reason::NoCertificate);
    let mut bound = but("cnf", json!({"jkt": thumbprint}));
    bound["token_type"] = json!("DPoP");
    assert_eq!(reason(&bound), Reason::DpopNotConfigured);
}

#[test]
fn an_outage_is_no_bad_token() {
    let guard = guard(trusted());
    let keys = KeySnapshot::default();
    let decision = guard.check(&request("opaque"), &Evidence::of(&keys), NOW);
    let Decision::Needs(Needs::Introspection(needs)) = decision else {
        panic!("decided");
    };
    let refused = needs.unavailable(Duration::from_secs(30));
    let retry_after = Duration::from_secs(30);
    let issuer = issuer();
    assert_eq!(
        refused.reason(),
        &Reason::IntrospectionUnavailable {
            issuer,
            retry_after
        }
    );
    let response = guard.response(&refused);
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "30");
    assert!(!response.headers().contains_key("www-authenticate"));
    assert!(!String::from_utf8_lossy(response.body()).contains("invalid_token"));
}

#[test]
fn any_audience_is_a_switch_that_says_what_it_is() {
    let open = guard(trusted().dangerous_accept_any_audience());
    let parts = request("opaque");
    for answer in [
        but("aud", Value::Null),
        but("aud", json!("https://x.example")),
    ] {
        assert!(decide(&open, &parts, &answer).is_ok(), "{answer}");
    }
    let named: Vec<Weakness> = open.weaknesses().collect();
    assert_eq!(named, [Weakness::AnyAudience { issuer: issuer() }]);
    assert_eq!(
        named[0].to_string(),
        "tokens of https://as.example are accepted whatever their audience is"
    );
    assert_eq!(guard(trusted()).weaknesses().count(), 0);
    // It is the issuer's: another one's tokens are still for whom they are.
    let other = TrustedIssuer::new(Issuer::parse("https://x.example").unwrap());
    assert_eq!(guard(other).weaknesses().count(), 0);
}
