//! Challenges that are read and written, and each refusal.

use proptest::prelude::*;

use super::*;

fn read(value: &str) -> Vec<Challenge> {
    Challenge::parse_all(value).unwrap()
}

#[test]
fn the_challenge_of_a_protected_resource() {
    let value = "Bearer resource_metadata=\"https://rs.example/.well-known/oauth-protected-resource/mcp\", scope=\"a b\"";
    let all = read(value);
    assert_eq!(all.len(), 1);
    assert!(all[0].is_scheme("bearer"));
    assert_eq!(all[0].get("Scope"), Some("a b"));
    assert_eq!(all[0].get("error"), None);
    assert_eq!(all[0].to_string(), value);
}

#[test]
fn several_schemes_in_one_line() {
    let all = read(
        "Negotiate, Basic YWJj==, Newauth realm=\"apps, \\\"x\\\"\", type=1,title=\"t\" , DPoP algs=\"ES256\"",
    );
    let schemes: Vec<&str> = all.iter().map(Challenge::scheme).collect();
    assert_eq!(schemes, ["Negotiate", "Basic", "Newauth", "DPoP"]);
    assert_eq!(all[1].token68(), Some("YWJj=="));
    assert_eq!(all[2].get("realm"), Some("apps, \"x\""));
    assert_eq!(all[2].params().count(), 3);
    assert_eq!(all[3].get("algs"), Some("ES256"));
}

#[test]
fn tolerates_what_servers_send() {
    let all = read("Bearer resource_metadata=https://rs.example/x?y=1 , scope = read,,");
    assert_eq!(
        all[0].get("resource_metadata"),
        Some("https://rs.example/x?y=1")
    );
    assert_eq!(all[0].get("scope"), Some("read"));
    assert_eq!(read("Bearer")[0].params().count(), 0);
    assert_eq!(read(""), []);
    assert_eq!(read(" , "), []);
}

#[test]
fn each_refusal() {
    let cases = [
        ("realm=\"x\"", InvalidChallenge::NoScheme),
        ("Basic YWJj==, realm=\"x\"", InvalidChallenge::NoScheme),
        ("Bearer realm=\"x", InvalidChallenge::Quoted(13)),
        ("Bearer realm=\"x\\", InvalidChallenge::Quoted(13)),
        ("Bearer realm=\"x\r\ny\"", InvalidChallenge::Quoted(13)),
        ("Bearer realm=\"x\\\ny\"", InvalidChallenge::Quoted(13)),
        (
            "Bearer realm=\"x\" scope=\"y\"",
            InvalidChallenge::Comma(17),
        ),
        (
            "Bearer realm=\"x\", REALM=\"y\"",
            InvalidChallenge::Duplicate("REALM".into()),
        ),
        ("\"Bearer\"", InvalidChallenge::Name(0)),
        ("Bearer, (x)", InvalidChallenge::Name(8)),
    ];
    for (value, reason) in cases {
        assert_eq!(Challenge::parse_all(value), Err(reason), "{value:?}");
    }
    let long = format!("Bearer realm=\"{}\"", "a".repeat(MAX_CHALLENGE_BYTES));
    assert_eq!(Challenge::parse_all(&long), Err(InvalidChallenge::TooLong));
    let schemes = vec!["A"; MAX_CHALLENGES + 1].join(",");
    assert_eq!(
        Challenge::parse_all(&schemes),
        Err(InvalidChallenge::TooLong)
    );
    let params: Vec<String> = (0..=MAX_CHALLENGE_PARAMS)
        .map(|n| format!("p{n}=1"))
        .collect();
    let value = format!("A {}", params.join(","));
    assert_eq!(Challenge::parse_all(&value), Err(InvalidChallenge::TooLong));
}

#[test]
fn a_value_cannot_break_the_header() {
    let challenge = Challenge::new("Bea rer").param("re alm", "a\r\nSet-Cookie: x\u{e9}");
    assert_eq!(challenge.to_string(), "Bearer realm=\"a??Set-Cookie: x?\"");
    assert!(http::HeaderValue::from_str(&challenge.to_string()).is_ok());
    let twice = Challenge::new("A")
        .param("x", "1")
        .param("X", "2")
        .param("", "3");
    assert_eq!(twice.to_string(), "A x=\"2\"");
}

proptest! {
    #[test]
    fn parse_after_print(
        scheme in "[A-Za-z]{1,8}",
        values in proptest::collection::vec("[ -~]{0,20}", 1..10),
    ) {
        let challenge = values.iter().enumerate().fold(Challenge::new(&scheme), |c, (n, v)| {
            c.param(&format!("p{n}"), v)
        });
        let line = format!("{challenge}, Basic, {challenge}");
        let all = Challenge::parse_all(&line).unwrap();
        prop_assert_eq!(all.len(), 3);
        prop_assert_eq!(&all[0], &challenge);
        prop_assert_eq!(&all[2], &challenge);
    }

    #[test]
    fn never_panics(value in "[ -~\u{e9}\t]{0,80}") {
        let parsed = Challenge::parse_all(&value);
        if let Ok(all) = parsed {
            prop_assert!(all.iter().all(|c| !c.scheme().is_empty()));
        }
    }
}

fn headers(lines: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(
            "www-authenticate",
            http::HeaderValue::from_bytes(line).unwrap(),
        );
    }
    headers
}

#[test]
fn several_lines_are_one_list() {
    let all = Challenge::all_of(&headers(&[
        b"Basic realm=\"a, b\"",
        b"Bearer realm=\"never ends",
        b"Bearer realm=\"x\", realm=\"y\"",
        b"Negotiate, DPoP algs=\"ES256 EdDSA\", error=\"use_dpop_nonce\"",
        // A description in another language hides nothing of the rest, in whatever encoding.
        b"Bearer error_description=\"caf\xe9\", resource_metadata=\"https://rs.example/m\"",
    ]));
    let schemes: Vec<&str> = all.iter().map(Challenge::scheme).collect();
    assert_eq!(schemes, ["Basic", "Negotiate", "DPoP", "Bearer"]);
    assert_eq!(all[2].algs().collect::<Vec<_>>(), ["ES256", "EdDSA"]);
    assert_eq!(all[2].error(), Some(ErrorCode::UseDpopNonce));
    assert_eq!(all[3].resource_metadata(), Some("https://rs.example/m"));
    assert_eq!(all[3].get("error_description"), Some("caf\u{fffd}"));
    assert_eq!(Challenge::all_of(&HeaderMap::new()), []);
    let many = vec![&b"A, B, C"[..]; 10];
    assert_eq!(Challenge::all_of(&headers(&many)).len(), MAX_CHALLENGES);
}

#[test]
fn the_challenges_of_rfc_9470() {
    let all = read(
        "Bearer error=\"insufficient_user_authentication\", error_description=\"A different authentication level is required\", acr_values=\"myACR  other\", max_age=\"5\"",
    );
    assert_eq!(
        all[0].error(),
        Some(ErrorCode::InsufficientUserAuthentication)
    );
    assert_eq!(all[0].acr_values().collect::<Vec<_>>(), ["myACR", "other"]);
    assert_eq!(all[0].max_age(), Some(Duration::from_secs(5)));
    for value in [
        "Bearer",
        "Bearer max_age=\"\"",
        "Bearer max_age=\"+5\"",
        "Bearer max_age=\"-1\"",
        "Bearer max_age=\"18446744073709551616\"",
    ] {
        assert_eq!(read(value)[0].max_age(), None, "{value}");
    }
}

#[test]
fn what_is_no_scope_and_no_known_error_says_nothing() {
    for value in [
        "Bearer",
        "Bearer scope=\"\"",
        "Bearer scope=\"a  b\"",
        "Bearer scope=\"a\\\"b\"",
    ] {
        assert_eq!(read(value)[0].scope(), None, "{value}");
    }
    assert_eq!(read("Bearer error=\"Invalid_Token\"")[0].error(), None);
    let found = read("Bearer error=invalid_token, scope=\"a b\"");
    assert_eq!(found[0].error(), Some(ErrorCode::InvalidToken));
    assert_eq!(found[0].scope(), Some(ScopeSet::parse("a b").unwrap()));
}

#[test]
fn four_parameters_hold_neither_quotes_nor_backslashes() {
    let challenge = Challenge::new("Bearer")
        .param("error_description", "no \"x\" in c:\\")
        .param("realm", "\"x\"");
    assert_eq!(
        challenge.to_string(),
        r#"Bearer error_description="no ?x? in c:?", realm="\"x\"""#
    );
}
