//! Every row, with values that nobody should send and answers that nobody should give.

use didit_client::call::{MAX_QUERY, MAX_REQUEST_BODY, MAX_RESPONSE_BODY};
use didit_client::operation::{self, CredentialKind};
use didit_client::redact::Mask;
use didit_client::{
    Api, Call, Credential, ErrorCode, File, InvalidCall, MAX_FORM_BODY, Operation, PathPart,
};
use http::{Request, Response};
use serde_json::{Value, json};

fn credential(row: &Operation) -> Credential {
    match row.credential {
        CredentialKind::Bearer => Credential::bearer("token"),
        CredentialKind::ApiKey => Credential::api_key("key"),
        CredentialKind::Nobody => Credential::Nobody,
    }
}

fn filled(row: &'static Operation, with: &str) -> Call {
    let part = PathPart::parse(with).unwrap();
    row.parts()
        .fold(Call::new(row), |call, name| call.part(name, part.clone()))
}

fn sent(call: &Call) -> Result<Request<Vec<u8>>, InvalidCall> {
    call.request(&Api::hosted(), &credential(call.operation()))
}

/// Texts that try to get out of their place.
const HOSTILE: [&str; 8] = [
    "..%2f..%2fadmin",
    "%00",
    "a&admin=true",
    "a;b=c",
    "a\\..\\b",
    "\u{202e}gnp.exe",
    "{org}",
    "a+b c",
];

#[test]
fn no_value_of_any_parameter_leaves_its_place() {
    for row in operation::all() {
        for text in HOSTILE {
            let call = filled(row, text);
            let call = row
                .query
                .iter()
                .fold(call, |call, name| call.query(*name, text));
            let request = sent(&call).unwrap();
            let path = request.uri().path();
            let base = match path.strip_prefix("/v3") {
                Some(rest) => rest,
                None => path.strip_prefix("/auth/v2").unwrap(),
            };
            let (asked, written) = (base.split('/').count(), row.path.split('/').count());
            assert_eq!(asked, written, "{} {path}", row.name);
            let query = request.uri().query().unwrap_or_default();
            let names: Vec<&str> = query
                .split('&')
                .filter_map(|pair| Some(pair.split_once('=')?.0))
                .collect();
            assert_eq!(names, row.query, "{} {query}", row.name);
            assert!(!format!("{path}{query}").contains(['{', '\\', ';', '#', ' ']));
        }
    }
}

#[test]
fn what_the_row_does_not_name_is_refused_everywhere() {
    for row in operation::all() {
        let file = || File::new("a.pdf", b"%PDF-".to_vec()).unwrap();
        for call in [
            filled(row, "x").query("api_key", "x"),
            filled(row, "x").form_field("access_token", "x"),
            filled(row, "x").file("shadow", file()),
            filled(row, "x").part("another", PathPart::parse("x").unwrap()),
        ] {
            assert!(sent(&call).is_err(), "{}", row.name);
        }
        let more = filled(row, "x").field("access_token", json!("x"));
        assert_eq!(sent(&more).is_ok(), row.open, "{}", row.name);
        if row.parts().next().is_some() {
            let why = sent(&Call::new(row)).unwrap_err();
            assert!(matches!(why, InvalidCall::MissingPart { .. }), "{why}");
        }
        for other in [
            Credential::bearer("t"),
            Credential::api_key("k"),
            Credential::Nobody,
        ] {
            let fits = other.kind() == row.credential;
            let request = filled(row, "x").request(&Api::hosted(), &other);
            assert_eq!(request.is_ok(), fits, "{}", row.name);
        }
    }
}

#[test]
fn a_megabyte_in_the_query_and_more_in_the_body_are_refused() {
    let (megabyte, large) = ("x".repeat(1024 * 1024), "x".repeat(MAX_REQUEST_BODY));
    assert!(megabyte.len() > MAX_QUERY);
    for row in operation::all() {
        for name in row.query {
            let call = filled(row, "x").query(*name, megabyte.clone());
            assert_eq!(sent(&call).unwrap_err(), InvalidCall::QueryTooLong);
        }
    }
    // One row with a body and one with an open one: writing four megabytes for each would take its time.
    for name in ["session.create", "rest.aml"] {
        let row = operation::find(name).unwrap();
        let call = filled(row, "x").field(row.body[0], json!(large));
        assert_eq!(sent(&call).unwrap_err(), InvalidCall::BodyTooLarge);
    }
    let with_form = operation::all().find(|row| !row.form.is_empty()).unwrap();
    let call = filled(with_form, "x").form_field(with_form.form[0], "x".repeat(MAX_FORM_BODY));
    assert_eq!(sent(&call).unwrap_err(), InvalidCall::FormTooLarge);
}

fn answered(status: u16, body: &str) -> Response<Vec<u8>> {
    Response::builder()
        .status(status)
        .body(body.as_bytes().to_vec())
        .unwrap()
}

#[test]
fn an_answer_that_is_no_json_is_text_or_an_error_and_never_half_a_secret() {
    let cut = r#"{"api_key":"0123456789abcdef","secret_shared_key":"0123456789abcdef","value":"#;
    let deep = "[".repeat(1_000);
    for row in operation::all() {
        let call = filled(row, "x");
        for body in ["<html>502</html>", "", cut, &deep, "\u{0}", "NaN"] {
            match call.response(&answered(200, body)) {
                Ok(value) => {
                    assert_eq!(row.mask, Mask::Nothing, "{}", row.name);
                    assert!(value["raw"].is_string());
                }
                Err(error) => {
                    assert_ne!(row.mask, Mask::Nothing, "{}", row.name);
                    assert!(!error.message().contains("0123"), "{error}");
                }
            }
        }
    }
}

#[test]
fn what_a_row_masks_is_masked_wherever_it_is() {
    let object = json!({
        "api_key": "0123456789abcdef", "client_secret": "0123456789abcdef", "secret": "0123456789abcdef",
        "secret_shared_key": "0123456789abcdef", "signing_secret": "0123456789abcdef",
        "key": "0123456789abcdef", "token": "0123456789abcdef", "value": "0123456789abcdef",
    });
    for row in operation::all() {
        let hidden: &[&str] = match row.mask {
            Mask::Application => &["api_key", "client_secret", "secret"],
            Mask::WebhookDestination => &["secret_shared_key", "signing_secret", "secret"],
            Mask::ApiKey => &["api_key", "key", "secret", "token", "value"],
            _ => &[],
        };
        let call = filled(row, "x");
        for body in [
            object.clone(),
            json!([object]),
            json!({"results": [object]}),
            json!({"data": {"inner": [{"application": object}]}}),
        ] {
            let shown = call.response(&answered(200, &body.to_string())).unwrap();
            for (name, _) in object.as_object().unwrap() {
                let whole = format!("\"{name}\":\"0123456789abcdef\"");
                let is_hidden = hidden.contains(&name.as_str());
                assert_eq!(
                    !shown.to_string().contains(&whole),
                    is_hidden,
                    "{} {name}",
                    row.name
                );
            }
        }
    }
}

#[test]
fn every_refusal_has_its_code_and_tells_no_secret() {
    let bodies = [
        json!({"detail": "no ada@mail.example, key sk_live_0123456789 at https://10.0.0.1/x"}),
        json!({"workflow_id": ["/srv/app/views.py broke for +48 601 234 567"]}),
        json!([["eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.sig"]]),
        json!({"data": {"columns": [{"name": "Abcdefghijkl1234567890abcd"}]}, "allowed": ["didit_Live_Key1234"]}),
        Value::Null,
    ];
    for row in operation::all() {
        let call = filled(row, "x");
        for (at, (status, code)) in [
            (301, ErrorCode::Error),
            (400, ErrorCode::BadRequest),
            (401, ErrorCode::Unauthorized),
            (402, ErrorCode::PaymentRequired),
            (403, ErrorCode::Forbidden),
            (404, ErrorCode::NotFound),
            (409, ErrorCode::Conflict),
            (422, ErrorCode::Unprocessable),
            (429, ErrorCode::RateLimited),
            (500, ErrorCode::ServerError),
            (503, ErrorCode::ServerError),
        ]
        .into_iter()
        .enumerate()
        {
            // Each status meets each body somewhere, and each row each status.
            let turn = at + row.name.len();
            for body in bodies.iter().cycle().skip(turn % bodies.len()).take(1) {
                let error = call
                    .response(&answered(status, &body.to_string()))
                    .unwrap_err();
                assert_eq!((error.code(), error.status()), (code, Some(status)));
                let told = format!("{error} {:?} {:?}", error.allowed(), error.field());
                for secret in [
                    "ada@", "sk_live", "10.0.0.1", "/srv", "601", "eyJ", "Abcdefg", "Key1234",
                ] {
                    assert!(!told.contains(secret), "{told}");
                }
            }
        }
    }
}

#[test]
fn an_answer_beyond_the_bound_is_an_error() {
    let row = operation::find("session.decision").unwrap();
    let large = format!("\"{}\"", "x".repeat(MAX_RESPONSE_BODY));
    let error = filled(row, "x")
        .response(&answered(200, &large))
        .unwrap_err();
    assert!(error.message().contains("8 MiB"), "{error}");
}
