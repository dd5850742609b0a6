//! The authorization request as a table, and what a decision of a person writes.

use oauth_rs::params::encode;
use oauth_rs::secret::Secret;
use oauth_rs::uri::RedirectUri;

use super::authorize::{self, Answer};
use super::consent::{self, Form};
use super::sign_in::{Browser, SignedIn};
use crate::check::client::KnownClient;
use crate::fixture::{CHALLENGE, NOW, REDIRECT, RESOURCE, config, found, present};
use crate::record::Request;
use crate::refused::Refused;
use crate::store::{Kind, Write};

const LOOPBACK: &str = "http://127.0.0.1:4711/cb";

fn client() -> KnownClient {
    KnownClient {
        id: "client".to_owned(),
        name: None,
        redirect_uris: [REDIRECT, LOOPBACK]
            .map(|uri| RedirectUri::parse(uri).unwrap())
            .to_vec(),
        may_refresh: true,
        dpop_bound: false,
    }
}

fn query(changes: &[(&str, &str)]) -> String {
    let mut pairs = vec![
        ("client_id", "client"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("resource", RESOURCE),
        ("scope", "read"),
        ("state", "s"),
    ];
    for (name, value) in changes {
        pairs.retain(|(own, _)| own != name);
        pairs.push((name, value));
    }
    encode(&pairs)
}

fn decide(query: &str) -> crate::decision::Decision<Answer> {
    let config = config();
    match authorize::parse(query.as_bytes()) {
        Ok(asked) => authorize::decide(&present(&config), &asked, &client(), "browser"),
        Err(reason) => reason.into(),
    }
}

fn waiting() -> Request {
    let decision = decide(&query(&[]));
    let [Write::Insert { record, .. }] = decision.writes.as_slice() else {
        panic!("{:?}", decision.writes);
    };
    Request::from_record(record).unwrap().clone()
}

#[test]
fn a_valid_request_waits_with_everything_that_was_checked() {
    let request = waiting();
    assert_eq!(request.client_id, "client");
    assert_eq!(request.redirect_uri.as_str(), REDIRECT);
    assert_eq!(request.scope.to_string(), "read");
    assert_eq!(request.resource.as_str(), RESOURCE);
    assert_eq!(request.state.as_deref(), Some("s"));
    assert_eq!(request.browser, "browser");
    assert_eq!(request.expires_at.since(NOW).as_secs(), 600);
    assert!(!request.only_loopback);
}

#[test]
fn what_the_client_is_told_writes_nothing() {
    for (changes, error) in [
        (("response_type", ""), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("response_mode", "form_post"), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("resource", "https://x.example"), "invalid_target"),
        (("scope", "admin"), "invalid_scope"),
        (("state", "\u{7f}"), "invalid_request"),
        (("prompt", "none"), "login_required"),
    ] {
        for address in [LOOPBACK, REDIRECT] {
            let decision = decide(&query(&[changes, ("redirect_uri", address)]));
            let to = match decision.outcome {
                Ok(Answer::Redirect(to)) if address == LOOPBACK => to,
                Ok(Answer::Told(told)) if address == REDIRECT => told.link,
                other => panic!("{changes:?}: {other:?}"),
            };
            let to = to.as_str();
            assert!(to.starts_with(&format!("{address}?error={error}&")), "{to}");
            assert!(to.ends_with("&iss=https%3A%2F%2Fas.example"), "{to}");
            assert!(decision.writes.is_empty() && decision.events.is_empty());
        }
    }
}

#[test]
fn what_is_told_on_a_page() {
    let twice = |name: &str| format!("{}&{name}=x", query(&[]));
    let repeated = |name: &str| Refused::Repeated {
        name: name.to_owned(),
    };
    for (query, reason) in [
        (query(&[("client_id", "")]), Refused::Missing("client_id")),
        (
            query(&[("redirect_uri", "https://c.example/cb2")]),
            Refused::RedirectUriUnknown,
        ),
        (
            query(&[("redirect_uri", "/cb")]),
            Refused::RedirectUriMalformed,
        ),
        (twice("client_id"), repeated("client_id")),
        (twice("redirect_uri"), repeated("redirect_uri")),
    ] {
        let decision = decide(&query);
        assert_eq!(decision.outcome, Err(reason));
        assert!(decision.writes.is_empty() && decision.events.is_empty());
    }
}

#[test]
fn a_yes_issues_a_code_and_a_no_does_not_and_both_use_the_request_up() {
    let config = config();
    let present = present(&config);
    let browser = Browser::of(Secret::new("browser"));
    let signed_in = SignedIn {
        cookie: Secret::new("session"),
        person: "ada".to_owned(),
    };
    let request = Request {
        browser: browser.hashed(&config.keys.hash),
        ..waiting()
    };
    let request = found(Kind::Request, "id", request);
    let csrf = consent::csrf(&config.keys.hash, &browser, &signed_in.cookie, "id");
    let decide = |csrf: Option<&str>, decision: Option<&str>| {
        let form = Form { csrf, decision };
        consent::decide(
            &present,
            Some(&request),
            Some(&browser),
            Some(&signed_in),
            &form,
        )
    };
    let kinds = |writes: &[Write]| writes.iter().map(|w| w.key().kind()).collect::<Vec<_>>();

    let yes = decide(Some(csrf.expose()), Some("allow"));
    assert_eq!(kinds(&yes.writes), [Kind::Code, Kind::Request]);
    assert!(
        yes.outcome
            .unwrap()
            .as_str()
            .starts_with(&format!("{REDIRECT}?code="))
    );
    let no = decide(Some(csrf.expose()), Some("deny"));
    assert_eq!(kinds(&no.writes), [Kind::Request]);
    assert!(
        no.outcome
            .unwrap()
            .as_str()
            .starts_with(&format!("{REDIRECT}?error=access_denied"))
    );
    for (token, decision, reason) in [
        (None, Some("allow"), Refused::Forged),
        (Some("x"), Some("allow"), Refused::Forged),
        (Some(csrf.expose()), Some("yes"), Refused::DecisionUnknown),
        (Some(csrf.expose()), None, Refused::DecisionUnknown),
    ] {
        let refused = decide(token, decision);
        assert_eq!(refused.outcome.unwrap_err(), reason);
        assert!(refused.writes.is_empty() && refused.events.is_empty());
    }
}

#[test]
fn a_form_token_is_for_one_browser_one_session_and_one_request() {
    let config = config();
    let hash = &config.keys.hash;
    let browser = Browser::of(Secret::new("browser"));
    let other = Browser::of(Secret::new("other"));
    let (session, next) = (Secret::new("session"), Secret::new("next"));
    let token = consent::csrf(hash, &browser, &session, "id");
    for different in [
        consent::csrf(hash, &other, &session, "id"),
        consent::csrf(hash, &browser, &next, "id"),
        consent::csrf(hash, &browser, &session, "id2"),
        super::sign_in::csrf(hash, &browser, "id"),
    ] {
        assert!(!token.ct_eq(different.expose()));
    }
}
