//! What a call becomes, and what is read from its answer.

use super::*;
use crate::error::ErrorCode;
use crate::operation::{Base, CredentialKind, Verb, find, row};

fn part(text: &str) -> PathPart {
    PathPart::parse(text).unwrap()
}

fn token() -> Credential {
    Credential::bearer("ada")
}

fn list() -> Call {
    Call::new(find("session.list").unwrap())
        .part("org", part("o 1"))
        .part("app", part("a-1"))
        .acting_in(part("o 1"))
}

#[test]
fn a_read_carries_path_query_and_headers() {
    let request = list()
        .query("status", "In Review,Approved")
        .query("limit", "5")
        .request(&Api::hosted(), &token())
        .unwrap();
    assert_eq!(request.method(), "GET");
    assert_eq!(
        request.uri().to_string(),
        "https://verification.didit.me/v3/organization/o%201/application/a-1/sessions/?status=In%20Review%2CApproved&limit=5"
    );
    assert_eq!(request.headers()["authorization"], "Bearer ada");
    assert!(request.headers()["authorization"].is_sensitive());
    assert_eq!(request.headers()["x-didit-organization-id"], "o 1");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert!(request.body().is_empty());
}

#[test]
fn a_write_carries_a_json_body() {
    let request = Call::new(find("session.create").unwrap())
        .field("workflow_id", json!("w"))
        .field("metadata", json!({"a": 1}))
        .request(&Api::hosted(), &token())
        .unwrap();
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri().path(), "/v3/session/");
    assert_eq!(
        serde_json::from_slice::<Value>(request.body()).unwrap(),
        json!({"workflow_id": "w", "metadata": {"a": 1}})
    );
    assert!(request.headers().get("x-didit-organization-id").is_none());
}

#[test]
fn what_the_row_does_not_know_is_refused() {
    let api = Api::hosted();
    let why = |call: Call| call.request(&api, &token()).unwrap_err();
    assert_eq!(
        why(list().part("session_id", part("s"))),
        InvalidCall::UnknownPart { name: "session_id" }
    );
    assert_eq!(
        why(Call::new(find("session.list").unwrap()).part("org", part("o"))),
        InvalidCall::MissingPart { name: "app" }
    );
    assert_eq!(
        why(list().query("api_key", "x")),
        InvalidCall::UnknownQuery {
            name: "api_key".into()
        }
    );
    assert_eq!(
        why(list().field("a", json!(1))),
        InvalidCall::UnknownField { name: "a".into() }
    );
    assert_eq!(
        why(list().query("search", "x".repeat(MAX_QUERY + 1))),
        InvalidCall::QueryTooLong
    );
    assert_eq!(
        why(list().query("search", "ż".repeat(MAX_QUERY / 3))),
        InvalidCall::QueryTooLong
    );
    assert_eq!(
        why(Call::new(find("session.create").unwrap())
            .field("workflow_id", json!("x".repeat(MAX_REQUEST_BODY)))),
        InvalidCall::BodyTooLarge
    );
    assert_eq!(
        list()
            .request(&api, &Credential::bearer("a\r\nb"))
            .unwrap_err(),
        InvalidCall::Credential
    );
    assert_eq!(
        list().request(&api, &Credential::bearer("")).unwrap_err(),
        InvalidCall::Credential
    );
}

fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
    Response::builder()
        .status(status)
        .body(body.as_bytes().to_vec())
        .unwrap()
}

#[test]
fn answers_are_read_by_status_and_form() {
    let call = list();
    assert_eq!(
        call.response(&answer(200, r#"{"results":[]}"#)).unwrap(),
        json!({"results": []})
    );
    assert_eq!(
        call.response(&answer(204, "")).unwrap(),
        json!({"success": true})
    );
    assert_eq!(
        call.response(&answer(200, "<html>")).unwrap(),
        json!({"raw": "<html>"})
    );
    let raw = call
        .response(&answer(200, &"ż".repeat(MAX_RAW_TEXT + 5)))
        .unwrap();
    assert_eq!(raw["raw"].as_str().unwrap().chars().count(), MAX_RAW_TEXT);
    let deep = "[".repeat(100_000);
    assert!(call.response(&answer(200, &deep)).unwrap()["raw"].is_string());
}

#[test]
fn redirects_and_oversize_answers_are_errors() {
    let call = list();
    let moved = call.response(&answer(301, "")).unwrap_err();
    assert_eq!(
        (moved.code(), moved.status()),
        (ErrorCode::Error, Some(301))
    );
    let large = call
        .response(&answer(200, &"1".repeat(MAX_RESPONSE_BODY + 1)))
        .unwrap_err();
    assert_eq!(large.code(), ErrorCode::Error);
    assert!(large.message().contains("8 MiB"), "{}", large.message());
}

#[test]
fn a_file_is_read_as_one() {
    let call = list();
    let report = answer(200, "%PDF-1.7 and so on");
    let (kind, bytes) = call.file_response(&report).unwrap();
    assert_eq!((kind, bytes), (FileKind::Pdf, &b"%PDF-1.7 and so on"[..]));
    for body in ["{}", "<html>", ""] {
        let error = call.file_response(&answer(200, body)).unwrap_err();
        assert_eq!(error.message(), "the answer of the Didit API is not a file");
    }
    let error = call.file_response(&answer(403, "%PDF-")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Forbidden);
}

#[test]
fn an_answer_that_is_cut_off_shows_nothing_that_would_be_masked() {
    let applications = Call::new(find("organization.applications").unwrap()).part("org", part("o"));
    for body in [r#"[{"api_key":"0123456789abcdef"},"#, "<html>", ""] {
        let error = applications.response(&answer(200, body)).unwrap_err();
        assert_eq!(
            error.message(),
            "the answer of the Didit API is not JSON, or ends too early"
        );
    }
}

#[test]
fn the_row_decides_what_is_masked() {
    let body = r#"[{"uuid":"a","api_key":"0123456789abcdef"}]"#;
    let applications = Call::new(find("organization.applications").unwrap()).part("org", part("o"));
    let masked = applications.response(&answer(200, body)).unwrap();
    assert_eq!(
        masked,
        json!([{"uuid": "a", "api_key_set": true, "api_key_preview": "0123…cdef (16)"}])
    );
    assert_eq!(
        list().response(&answer(200, body)).unwrap()[0]["api_key"],
        "0123456789abcdef"
    );
}

/// A row with everything that only some rows have; its address is not one of Didit's.
static UPLOAD: Operation = Operation {
    form: &["vendor_data"],
    files: &["document"],
    headers: &[Extra::Application, Extra::IdempotencyKey],
    credential: CredentialKind::ApiKey,
    ..row("test.upload", Verb::Post, Base::Api, "/upload/")
};

fn document() -> File {
    File::new("/srv/id.pdf", b"%PDF-1.7".to_vec()).unwrap()
}

fn key() -> Credential {
    Credential::api_key("app-key")
}

#[test]
fn a_form_carries_fields_and_files() {
    let request = Call::new(&UPLOAD)
        .form_field("vendor_data", "customer-42")
        .file("document", document())
        .request(&Api::hosted(), &key())
        .unwrap();
    let content_type = request.headers()["content-type"].to_str().unwrap();
    let boundary = content_type
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    let body = std::str::from_utf8(request.body()).unwrap();
    assert_eq!(
        body,
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"vendor_data\"\r\n\r\ncustomer-42\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"document\"; filename=\"id.pdf\"\r\n\
             Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n--{boundary}--\r\n"
        )
    );
}

#[test]
fn an_api_key_has_a_header_of_its_own() {
    let request = Call::new(&UPLOAD).request(&Api::hosted(), &key()).unwrap();
    assert_eq!(request.headers()["x-api-key"], "app-key");
    assert!(request.headers()["x-api-key"].is_sensitive());
    assert!(request.headers().get("authorization").is_none());
    let request = list().request(&Api::hosted(), &token()).unwrap();
    assert!(request.headers().get("x-api-key").is_none());
}

#[test]
fn a_credential_of_the_other_kind_goes_nowhere() {
    let why = |call: Call, credential: Credential| call.request(&Api::hosted(), &credential);
    assert_eq!(
        why(Call::new(&UPLOAD), token()).unwrap_err(),
        InvalidCall::OtherCredential {
            takes: CredentialKind::ApiKey
        }
    );
    let refused = why(list(), key()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the operation takes a person's access token"
    );
    for broken in ["", "a\nb"] {
        assert_eq!(
            why(Call::new(&UPLOAD), Credential::api_key(broken)).unwrap_err(),
            InvalidCall::Credential
        );
    }
}

#[test]
fn headers_go_only_where_the_row_takes_them() {
    let dressed = |call: Call| {
        call.acting_in_application(part("a-1"))
            .idempotency_key(IdempotencyKey::parse("k-1").unwrap())
    };
    let request = dressed(Call::new(&UPLOAD))
        .request(&Api::hosted(), &key())
        .unwrap();
    assert_eq!(request.headers()["x-didit-application-id"], "a-1");
    assert_eq!(request.headers()["idempotency-key"], "k-1");
    assert_eq!(
        dressed(list())
            .request(&Api::hosted(), &token())
            .unwrap_err(),
        InvalidCall::UnknownHeader {
            header: Extra::Application
        }
    );
    assert_eq!(
        list()
            .idempotency_key(IdempotencyKey::parse("k-1").unwrap())
            .request(&Api::hosted(), &token())
            .unwrap_err()
            .to_string(),
        "the operation does not take the header idempotency-key"
    );
}

#[test]
fn a_form_takes_only_what_the_row_names_and_each_as_its_kind() {
    let api = Api::hosted();
    let unknown = |name: &str| InvalidCall::UnknownField { name: name.into() };
    let why = |call: Call| call.request(&api, &key()).unwrap_err();
    assert_eq!(why(Call::new(&UPLOAD).form_field("a", "b")), unknown("a"));
    assert_eq!(
        why(Call::new(&UPLOAD).form_field("document", "text")),
        unknown("document")
    );
    assert_eq!(
        why(Call::new(&UPLOAD).file("vendor_data", document())),
        unknown("vendor_data")
    );
    assert_eq!(
        why(Call::new(&UPLOAD).field("vendor_data", json!("json"))),
        unknown("vendor_data")
    );
    assert_eq!(
        list()
            .form_field("limit", "1")
            .request(&api, &token())
            .unwrap_err(),
        unknown("limit")
    );
    assert_eq!(
        why(Call::new(&UPLOAD).form_field("vendor_data", "x".repeat(crate::MAX_FORM_BODY))),
        InvalidCall::FormTooLarge
    );
}

#[test]
fn a_deletion_may_have_a_json_body() {
    static DELETION: Operation = Operation {
        body: &["ids"],
        ..row("test.delete", Verb::Delete, Base::Api, "/delete/")
    };
    let request = Call::new(&DELETION)
        .field("ids", json!([1, 2]))
        .request(&Api::hosted(), &token())
        .unwrap();
    assert_eq!(request.method(), "DELETE");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.body(), br#"{"ids":[1,2]}"#);
}

#[test]
fn a_typed_request_is_the_call_of_its_row() {
    use crate::request::{network, session, verify};

    let api = Api::hosted();
    let mut list = session::List::new(part("o 1"), part("a-1"));
    list.status = Some("In Review".into());
    list.limit = Some(5);
    list.session_kind = Some(session::SessionKind::Business);
    let typed = list.call().request(&api, &token()).unwrap();
    assert_eq!(
        typed.uri().to_string(),
        "https://verification.didit.me/v3/organization/o%201/application/a-1/sessions/?status=In%20Review&session_kind=business&limit=5"
    );
    assert_eq!(typed.headers()["x-didit-organization-id"], "o 1");

    let mut create = session::Create::new("w");
    create.language = Some(session::Language::PtBr);
    let typed = create.call().request(&api, &token()).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(typed.body()).unwrap(),
        json!({"workflow_id": "w", "language": "pt-BR"})
    );

    let share = session::Share::new(part("s"), "p").call();
    let typed = share.request(&api, &token()).unwrap();
    assert_eq!(typed.uri().path(), "/v3/session/s/share/");
    assert_eq!(
        serde_json::from_slice::<Value>(typed.body()).unwrap(),
        json!({"partner_client_id": "p", "session_id": "s"})
    );

    let kind = network::SubjectPath::BusinessSessions;
    let typed = network::Membership::new(part("o"), part("a"), kind, part("b"))
        .call()
        .request(&api, &token())
        .unwrap();
    assert!(
        typed
            .uri()
            .path()
            .ends_with("/business-sessions/b/networks/")
    );

    let mut age = verify::Age::new(part("o"), part("a"));
    age.user_image = Some(File::new("a.png", b"\x89PNG\r\n\x1a\nrest".to_vec()).unwrap());
    let typed = age.call().request(&api, &token()).unwrap();
    assert!(
        typed.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("multipart/form-data")
    );
}

#[test]
fn an_open_row_takes_further_fields_and_a_closed_one_does_not() {
    let api = Api::hosted();
    let mut create = crate::request::case::Create::new(part("o"), part("a"));
    create.more.insert("title".into(), json!("t"));
    let request = create.call().request(&api, &token()).unwrap();
    assert_eq!(request.body(), br#"{"title":"t"}"#);
    let empty = crate::request::case::Create::new(part("o"), part("a"));
    assert_eq!(empty.call().request(&api, &token()).unwrap().body(), b"{}");
}

#[test]
fn an_account_is_made_without_a_credential_and_nothing_else_is() {
    let api = Api::hosted();
    let register = || {
        let password = crate::Secret::new("hunter2");
        crate::request::account::Register::new("ada@example.org", password).call()
    };
    let request = register().request(&api, &Credential::Nobody).unwrap();
    assert!(request.headers().get("authorization").is_none());
    assert_eq!(
        register().request(&api, &token()).unwrap_err(),
        InvalidCall::OtherCredential {
            takes: CredentialKind::Nobody
        }
    );
    assert_eq!(
        list().request(&api, &Credential::Nobody).unwrap_err(),
        InvalidCall::OtherCredential {
            takes: CredentialKind::Bearer
        }
    );
}

#[test]
fn a_delete_may_have_a_body() {
    let mut delete = crate::request::session::BatchDelete::new(part("o"), part("a"));
    delete.session_numbers = Some(vec![7.into()]);
    let request = delete.call().request(&Api::hosted(), &token()).unwrap();
    assert_eq!(request.method(), "DELETE");
    assert_eq!(request.body(), br#"{"session_numbers":[7]}"#);
}
