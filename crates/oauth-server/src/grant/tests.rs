//! A valid request and valid records, one change, the exact reason, and what is written.

use oauth_rs::params::{Params, encode};
use oauth_rs::time::UnixSeconds;

use super::{authorization_code, refresh_token};
use crate::event::Event;
use crate::fixture::{NOW, REDIRECT, RESOURCE, VERIFIER, code, config, found, grant, present};
use crate::record::{Client, RefreshToken, Spent};
use crate::refused::Refused;
use crate::store::{Kind, Write};

fn form(pairs: &[(&str, &str)]) -> Params {
    Params::parse_form(encode(pairs).as_bytes(), &["resource"]).unwrap()
}

fn writes(writes: &[Write]) -> Vec<(&'static str, Kind)> {
    writes
        .iter()
        .map(|write| {
            let verb = match write {
                Write::Insert { .. } => "insert",
                Write::Replace { .. } => "replace",
                Write::Delete { .. } => "delete",
                Write::Unchanged { .. } => "unchanged",
            };
            (verb, write.key().kind())
        })
        .collect()
}

struct Redemption {
    client: &'static str,
    pairs: Vec<(&'static str, &'static str)>,
    records: authorization_code::Records,
}

impl Redemption {
    fn valid() -> Self {
        Self {
            client: "client",
            pairs: vec![
                ("code", "x"),
                ("redirect_uri", REDIRECT),
                ("code_verifier", VERIFIER),
                ("resource", RESOURCE),
            ],
            records: authorization_code::Records {
                client: None,
                code: Some(found(Kind::Code, "x", code())),
                grant: None,
            },
        }
    }

    fn without(&mut self, name: &str) {
        self.pairs.retain(|(own, _)| *own != name);
    }

    fn set(&mut self, name: &'static str, value: &'static str) {
        self.without(name);
        self.pairs.push((name, value));
    }

    fn code(&mut self) -> &mut crate::record::Code {
        &mut self.records.code.as_mut().unwrap().record
    }
}

#[test]
fn a_redemption_spends_the_code_and_makes_grant_and_refresh_token() {
    let config = config();
    let mut valid = Redemption::valid();
    let client = Client {
        client_id: "client".to_owned(),
        name: None,
        redirect_uris: Vec::new(),
        grant_types: Vec::new(),
        dpop_bound: false,
        registered_at: NOW,
        expires_at: Some(UnixSeconds(NOW.0 + 5)),
    };
    valid.records.client = Some(found(Kind::Client, "client", client));
    let decision = authorization_code::decide(
        &present(&config),
        valid.client,
        &form(&valid.pairs),
        None,
        &valid.records,
    );
    assert_eq!(
        writes(&decision.writes),
        [
            ("replace", Kind::Code),
            ("insert", Kind::RefreshToken),
            ("replace", Kind::Client),
            ("insert", Kind::Grant),
        ]
    );
    let answer = decision.outcome.unwrap();
    assert_eq!(answer.scope(), "read write");
    let claims = crate::token::read(&config, answer.access_token(), NOW).unwrap();
    assert_eq!(
        (&*claims.sub, claims.grant_id.as_deref()),
        ("ada", Some("grant"))
    );
    assert!(crate::token::read(&config, answer.access_token(), claims.exp).is_none());
    let other = self::config();
    assert!(crate::token::read(&other, answer.access_token(), NOW).is_none());
    assert_eq!(answer.refresh_token().map(str::len), Some(43));
}

type Change<T> = fn(&mut T);

#[test]
fn each_refused_redemption_writes_nothing() {
    let cases: &[(Change<Redemption>, Refused)] = &[
        (|it| it.records.code = None, Refused::CodeUnknown),
        (|it| it.client = "other", Refused::CodeOfAnother),
        (
            |it| it.set("redirect_uri", "https://c.example/cb2"),
            Refused::CodeRedirectUri,
        ),
        (|it| it.without("code_verifier"), Refused::Verifier),
        (|it| it.set("code_verifier", "short"), Refused::Verifier),
        (
            |it| it.set("resource", "https://api.example/mcp2"),
            Refused::CodeResource,
        ),
        (
            |it| it.pairs.push(("resource", "https://api.example/mcp2")),
            Refused::CodeResource,
        ),
        (|it| it.code().expires_at = NOW, Refused::CodeExpired),
        // A code that was spent is refused for the same reasons in the same order.
        (
            |it| {
                it.code().spent_at = Some(NOW);
                it.records.grant = Some(found(Kind::Grant, "grant", grant()));
                it.set("code_verifier", "short");
            },
            Refused::Verifier,
        ),
        (
            |it| {
                it.code().spent_at = Some(NOW);
                it.records.grant = Some(found(Kind::Grant, "grant", grant()));
                it.client = "other";
            },
            Refused::CodeOfAnother,
        ),
        (|it| it.code().spent_at = Some(NOW), Refused::CodeReplayed),
    ];
    let config = config();
    for (change, reason) in cases {
        let mut changed = Redemption::valid();
        change(&mut changed);
        let decision = authorization_code::decide(
            &present(&config),
            changed.client,
            &form(&changed.pairs),
            None,
            &changed.records,
        );
        assert_eq!(decision.outcome.unwrap_err(), *reason);
        assert!(
            decision.writes.is_empty() && decision.events.is_empty(),
            "{reason}"
        );
    }
}

#[test]
fn a_replay_ends_the_grant_once() {
    let config = config();
    let mut replay = Redemption::valid();
    replay.code().spent_at = Some(NOW);
    replay.records.grant = Some(found(Kind::Grant, "grant", grant()));
    let decide = |it: &Redemption| {
        authorization_code::decide(
            &present(&config),
            it.client,
            &form(&it.pairs),
            None,
            &it.records,
        )
    };
    let decision = decide(&replay);
    assert_eq!(
        decision.outcome.as_ref().unwrap_err(),
        &Refused::CodeReplayed
    );
    assert_eq!(writes(&decision.writes), [("replace", Kind::Grant)]);
    assert_eq!(decision.events.len(), 2);
    replay.records.grant.as_mut().unwrap().record.revoked_at = Some(NOW);
    let decision = decide(&replay);
    assert!(decision.writes.is_empty() && decision.events.is_empty());
}

struct Refresh {
    client: &'static str,
    pairs: Vec<(&'static str, &'static str)>,
    records: refresh_token::Records,
}

impl Refresh {
    fn valid() -> Self {
        let token = |spent| RefreshToken {
            grant_id: "grant".to_owned(),
            client_id: "client".to_owned(),
            jkt: None,
            expires_at: UnixSeconds(NOW.0 + 1),
            spent,
            keep_until: UnixSeconds(NOW.0 + 100_000),
        };
        Self {
            client: "client",
            pairs: vec![("refresh_token", "token")],
            records: refresh_token::Records {
                token: Some(found(Kind::RefreshToken, "t", token(None))),
                grant: Some(found(Kind::Grant, "grant", grant())),
                successor: Some(found(Kind::RefreshToken, "next", token(None))),
            },
        }
    }

    fn token(&mut self) -> &mut RefreshToken {
        &mut self.records.token.as_mut().unwrap().record
    }

    fn spent(&mut self, seconds_ago: u64) {
        self.token().spent = Some(Spent {
            at: UnixSeconds(NOW.0 - seconds_ago),
            salt: "salt".to_owned(),
            successor: "next".to_owned(),
        });
    }

    fn grant(&mut self) -> &mut crate::record::Grant {
        &mut self.records.grant.as_mut().unwrap().record
    }
}

#[test]
fn a_refresh_spends_the_token_and_makes_its_successor() {
    let config = config();
    let valid = Refresh::valid();
    let decision = refresh_token::decide(
        &present(&config),
        valid.client,
        &form(&valid.pairs),
        None,
        &valid.records,
    );
    assert_eq!(
        writes(&decision.writes),
        [
            ("replace", Kind::RefreshToken),
            ("insert", Kind::RefreshToken),
            ("unchanged", Kind::Grant),
        ]
    );
    let [Write::Replace { record, .. }, Write::Insert { key, .. }, _] = decision.writes.as_slice()
    else {
        panic!("{:?}", decision.writes);
    };
    let spent = RefreshToken::from_record(record)
        .unwrap()
        .spent
        .clone()
        .unwrap();
    assert_eq!(spent.successor, key.id());
    let hash = &config.keys.hash;
    let next = crate::token::successor(hash, "token", &spent.salt);
    assert_eq!(
        decision.outcome.unwrap().refresh_token(),
        Some(next.expose())
    );
    assert_eq!(
        crate::token::filed(hash, Kind::RefreshToken, next.expose()),
        *key
    );
}

#[test]
fn each_refused_refresh() {
    type Written = &'static [(&'static str, Kind)];
    let nothing: Written = &[];
    let ends: Written = &[("replace", Kind::Grant)];
    let cases: &[(Change<Refresh>, Refused, Written)] = &[
        (
            |it| it.pairs.clear(),
            Refused::Missing("refresh_token"),
            nothing,
        ),
        (
            |it| it.records.token = None,
            Refused::RefreshUnknown,
            nothing,
        ),
        (|it| it.client = "other", Refused::RefreshOfAnother, nothing),
        (|it| it.records.grant = None, Refused::GrantOver, nothing),
        (
            |it| it.grant().revoked_at = Some(NOW),
            Refused::GrantOver,
            nothing,
        ),
        (
            |it| it.grant().expires_at = NOW,
            Refused::GrantOver,
            nothing,
        ),
        (
            |it| it.pairs.push(("resource", "https://x.example")),
            Refused::RefreshResource,
            nothing,
        ),
        (
            |it| it.pairs.push(("scope", "read admin")),
            Refused::ScopeWider,
            nothing,
        ),
        (
            |it| it.pairs.push(("scope", "a\"")),
            Refused::ScopeMalformed,
            nothing,
        ),
        (
            |it| it.token().expires_at = NOW,
            Refused::RefreshExpired,
            nothing,
        ),
        (|it| it.spent(10), Refused::RefreshReused, ends),
        (
            |it| {
                it.spent(0);
                it.records.successor = None;
            },
            Refused::RefreshReused,
            ends,
        ),
        (
            |it| {
                it.spent(0);
                let spent = it.token().spent.clone();
                it.records.successor.as_mut().unwrap().record.spent = spent;
            },
            Refused::RefreshReused,
            ends,
        ),
    ];
    let config = config();
    for (change, reason, written) in cases {
        let mut changed = Refresh::valid();
        change(&mut changed);
        let decision = refresh_token::decide(
            &present(&config),
            changed.client,
            &form(&changed.pairs),
            None,
            &changed.records,
        );
        assert_eq!(decision.outcome.unwrap_err(), *reason);
        assert_eq!(writes(&decision.writes), *written, "{reason}");
        let ended = decision
            .events
            .iter()
            .any(|e| matches!(e, Event::GrantRevoked { .. }));
        assert_eq!(ended, !written.is_empty(), "{reason}");
    }
}

#[test]
fn within_the_overlap_nothing_is_written() {
    let config = config();
    let mut again = Refresh::valid();
    again.spent(9);
    let decision = refresh_token::decide(
        &present(&config),
        again.client,
        &form(&again.pairs),
        None,
        &again.records,
    );
    assert_eq!(writes(&decision.writes), [("unchanged", Kind::Grant)]);
    assert!(matches!(
        decision.events.as_slice(),
        [Event::RefreshRepeated { .. }]
    ));
    let next = crate::token::successor(&config.keys.hash, "token", "salt");
    assert_eq!(
        decision.outcome.unwrap().refresh_token(),
        Some(next.expose())
    );
}

#[test]
fn no_configuration_makes_the_overlap_longer_than_its_bound() {
    let mut config = config();
    config.lifetimes.refresh_overlap = std::time::Duration::from_secs(100_000);
    let mut again = Refresh::valid();
    again.spent(60);
    let decision = refresh_token::decide(
        &present(&config),
        again.client,
        &form(&again.pairs),
        None,
        &again.records,
    );
    assert_eq!(decision.outcome.unwrap_err(), Refused::RefreshReused);
}

#[test]
fn a_clock_that_went_back_does_not_make_the_overlap_longer() {
    let config = config();
    for (ahead, refused) in [(9, false), (10, true), (10_000, true)] {
        let mut again = Refresh::valid();
        again.spent(0);
        again.token().spent.as_mut().unwrap().at = UnixSeconds(NOW.0 + ahead);
        let decision = refresh_token::decide(
            &present(&config),
            again.client,
            &form(&again.pairs),
            None,
            &again.records,
        );
        assert_eq!(decision.outcome.is_err(), refused, "{ahead}");
    }
}
