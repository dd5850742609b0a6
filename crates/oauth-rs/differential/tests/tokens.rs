//! Generated and mutated tokens, read by both.

use oauth_rs::jose::Alg;
use oauth_rs_differential::{AUDIENCE, FUTURE, ISSUER, PAST, Pair};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

/// Texts as members of a header or of claims, which a serialiser would not write in this order or twice.
fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn member(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

/// The claims of an access token that holds.
fn good_claims() -> Vec<(String, String)> {
    vec![
        member("iss", json!(ISSUER)),
        member("sub", json!("u1")),
        member("aud", json!(AUDIENCE)),
        member("exp", FUTURE),
        member("iat", PAST),
        member("jti", json!("j1")),
        member("client_id", json!("c1")),
    ]
}

fn good_header(alg: Alg) -> Vec<(String, String)> {
    vec![
        member("alg", json!(alg.as_str())),
        member("typ", json!("at+jwt")),
    ]
}

/// What may stand in a token that is well-formed.
fn well_formed_claims() -> impl Strategy<Value = Vec<(String, String)>> {
    let text = "[ -~]{1,20}";
    let aud = prop_oneof![
        Just(json!(AUDIENCE)),
        Just(json!([AUDIENCE])),
        Just(json!(["https://other.example", AUDIENCE])),
    ];
    let exp = prop_oneof![Just(FUTURE.to_string()), Just(format!("{FUTURE}.25"))];
    (text, aud, exp, text, text, any::<bool>(), any::<bool>()).prop_map(
        |(sub, aud, exp, jti, client_id, with_nbf, with_more)| {
            let mut claims = vec![
                member("iss", json!(ISSUER)),
                member("sub", json!(sub)),
                member("aud", aud),
                member("exp", exp),
                member("iat", PAST),
                member("jti", json!(jti)),
                member("client_id", json!(client_id)),
            ];
            if with_nbf {
                claims.push(member("nbf", PAST));
            }
            if with_more {
                claims.push(member("scope", json!("a b")));
                claims.push(member("https://claims.example/x", json!({"deep": [[{}]]})));
            }
            claims
        },
    )
}

/// Values that are right for some claims, wrong for others, and odd for all.
fn any_value() -> impl Strategy<Value = String> {
    let numbers = prop_oneof![
        any::<u64>().prop_map(|n| n.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| json!(n).to_string()),
    ];
    prop_oneof![
        3 => select(vec![
            format!("\"{ISSUER}\""), format!("\"{AUDIENCE}\""), format!("[\"{AUDIENCE}\"]"),
            format!("[\"{AUDIENCE}\",\"{AUDIENCE}\"]"), format!("[\"{ISSUER}\"]"),
            format!("[\"{AUDIENCE}\",7]"), format!("{{\"{AUDIENCE}\":1}}"),
            "\"https:\\/\\/as.example\"".to_owned(), "\"https://as.example\\u0000\"".to_owned(),
            FUTURE.to_string(), PAST.to_string(), format!("\"{FUTURE}\""), format!("{FUTURE}.9"),
            format!("-{FUTURE}"), format!("{FUTURE}e0"), format!("{FUTURE}0000"),
        ]),
        2 => select(vec![
            "null", "true", "[]", "{}", "\"\"", "0", "-0", "0.0", "1e300", "1e400", "NaN", "-1",
            "4e9", "18446744073709551615", "18446744073709551616", "9e18", "[[[]]]", "\"\\ud800\"",
        ]).prop_map(str::to_owned),
        1 => numbers,
    ]
}

#[derive(Debug, Clone)]
enum Change {
    Value(usize, String),
    Remove(usize),
    Repeat(usize, String),
    Add(&'static str, String),
}

fn change() -> impl Strategy<Value = Change> {
    let names = select(vec![
        "nbf",
        "scope",
        "grant_id",
        "cnf",
        "act",
        "auth_time",
        "x",
        "kid",
        "cty",
        "crit",
        "b64",
    ]);
    prop_oneof![
        4 => (any::<usize>(), any_value()).prop_map(|(at, value)| Change::Value(at, value)),
        1 => any::<usize>().prop_map(Change::Remove),
        1 => (any::<usize>(), any_value()).prop_map(|(at, value)| Change::Repeat(at, value)),
        3 => (names, any_value()).prop_map(|(name, value)| Change::Add(name, value)),
    ]
}

/// The claims that `oauth-rs` reads.
const CLAIMS_READ: [&str; 11] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "client_id",
    "scope",
    "grant_id",
    "cnf",
];
/// The members of a header that `oauth-rs` reads.
const HEADER_READ: [&str; 5] = ["alg", "typ", "kid", "crit", "b64"];

/// What the grammar of JSON has and no reader can hold; in a member that we do not read it is nothing to us.
fn is_no_value(text: &str) -> bool {
    matches!(text, "1e400" | "\"\\ud800\"")
}

fn apply(members: &mut Vec<(String, String)>, change: &Change) {
    let at = |place: &usize| place % members.len().max(1);
    match change {
        Change::Value(place, value) => {
            let at = at(place);
            if let Some((_, old)) = members.get_mut(at) {
                old.clone_from(value);
            }
        }
        Change::Remove(place) if !members.is_empty() => {
            let at = at(place);
            members.remove(at);
        }
        Change::Remove(_) => {}
        Change::Repeat(place, value) => {
            let at = at(place);
            if let Some((name, _)) = members.get(at).cloned() {
                members.push((name, value.clone()));
            }
        }
        Change::Add(name, value) => members.push(member(name, value)),
    }
}

#[test]
fn both_accept_what_either_has_signed_by_every_algorithm() {
    let claims = object(&good_claims());
    for pair in Pair::all() {
        let header = object(&good_header(pair.alg));
        for token in [
            pair.signed_by_us(&claims),
            pair.signed_by_them(&header, &claims),
        ] {
            assert!(pair.we_accept(&token), "{}", pair.alg);
            assert!(pair.they_accept(&token), "{}", pair.alg);
            let cut = &token[..token.len() - 2];
            assert!(
                !pair.we_accept(cut) && !pair.they_accept(cut),
                "{}",
                pair.alg
            );
        }
    }
}

#[test]
fn both_refuse_a_token_of_another_algorithm() {
    let claims = object(&good_claims());
    let pairs = Pair::all();
    for pair in &pairs {
        for other in pairs.iter().filter(|other| other.alg != pair.alg) {
            let token = other.signed_by_us(&claims);
            assert!(!pair.we_accept(&token), "{} {}", pair.alg, other.alg);
            assert!(!pair.they_accept(&token), "{} {}", pair.alg, other.alg);
        }
    }
}

/// What `jsonwebtoken` lets pass and `oauth-rs` refuses, so that it is known when this changes.
#[test]
fn we_are_stricter_where_we_say_so() {
    let pair = Pair::new(Alg::Es256);
    let claims = object(&good_claims());
    let header = object(&good_header(pair.alg));
    let with = |base: &str, more: &str| base.replacen('{', &format!("{{{more},"), 1);
    for (header, claims) in [
        (with(&header, r#""b64":"false""#), claims.clone()),
        (header.clone(), with(&claims, r#""x":1,"x":2"#)),
        (header.clone(), with(&claims, r#""cnf":{"jkt":"k"}"#)),
        (header.clone(), with(&claims, r#""scope":["a"]"#)),
        (
            header.clone(),
            claims.replace(&format!("\"{ISSUER}\""), &format!("[\"{ISSUER}\"]")),
        ),
        (header.clone(), claims.replace(",\"client_id\":\"c1\"", "")),
    ] {
        let token = pair.signed_by_them(&header, &claims);
        assert!(pair.they_accept(&token), "{header} {claims}");
        assert!(!pair.we_accept(&token), "{header} {claims}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_accept_well_formed_tokens(claims in well_formed_claims(), ed25519: bool) {
        let pair = Pair::new(if ed25519 { Alg::EdDsa } else { Alg::Es256 });
        let text = object(&claims);
        for token in [pair.signed_by_us(&text), pair.signed_by_them(&object(&good_header(pair.alg)), &text)] {
            prop_assert!(pair.we_accept(&token), "{text}");
            prop_assert!(pair.they_accept(&token), "{text}");
        }
    }

    #[test]
    fn what_we_accept_they_accept_after_changes_to_the_claims(
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let pair = Pair::new(Alg::EdDsa);
        let mut claims = good_claims();
        changes.iter().for_each(|change| apply(&mut claims, change));
        claims.retain(|(name, value)| CLAIMS_READ.contains(&name.as_str()) || !is_no_value(value));
        let text = object(&claims);
        let token = pair.signed_by_them(&object(&good_header(pair.alg)), &text);
        if pair.we_accept(&token) {
            prop_assert!(pair.they_accept(&token), "{text}");
        }
    }

    #[test]
    fn what_we_accept_they_accept_after_changes_to_the_header(
        changes in prop::collection::vec(change(), 1..3),
    ) {
        let pair = Pair::new(Alg::EdDsa);
        let mut header = good_header(pair.alg);
        changes.iter().for_each(|change| apply(&mut header, change));
        // They know all others as strings.
        header.retain(|(name, value)| {
            HEADER_READ.contains(&name.as_str()) || (value.starts_with('"') && !is_no_value(value))
        });
        let text = object(&header);
        let token = pair.signed_by_them(&text, &object(&good_claims()));
        if pair.we_accept(&token) {
            prop_assert!(pair.they_accept(&token), "{text}");
        }
    }

    #[test]
    fn what_we_accept_they_accept_after_changes_to_the_text(
        at: prop::sample::Index,
        with in select((32..127_u8).map(char::from).collect::<Vec<char>>()),
        ed25519: bool,
    ) {
        let pair = Pair::new(if ed25519 { Alg::EdDsa } else { Alg::Es256 });
        let token = pair.signed_by_us(&object(&good_claims()));
        let at = at.index(token.len());
        let mut characters: Vec<char> = token.chars().collect();
        characters[at] = with;
        let changed: String = characters.into_iter().collect();
        // Signatures of ECDSA have two forms, but nobody finds another one by one character.
        prop_assert_eq!(pair.we_accept(&changed), changed == token);
        prop_assert_eq!(pair.they_accept(&changed), changed == token);
    }
}
