//! A valid message, then each mutation with its exact reason.

use super::*;

fn single(text: &str) -> Result<Message<'_>, Malformed> {
    match read(text.as_bytes()).unwrap() {
        Body::Single(message) => message,
        Body::Batch(_) => panic!("a batch"),
    }
}

fn refused(text: &str) -> (Option<Id>, Violation) {
    let malformed = single(text).unwrap_err();
    (malformed.id, malformed.violation)
}

#[test]
fn the_kinds_are_told_by_their_members() {
    match single(r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":1},"extra":[]}"#).unwrap()
    {
        Message::Request(request) => {
            assert_eq!(request.id, Id::Integer(7));
            assert_eq!(request.method, "ping");
            assert_eq!(request.params.unwrap().get(), r#"{"a":1}"#);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        single(r#"{"method":"a\/b","jsonrpc":"2.0"}"#).unwrap(),
        Message::Notification(notification) if notification.method == "a/b"
    ));
    assert!(matches!(
        single(r#"{"jsonrpc":"2.0","id":"7","result":null}"#).unwrap(),
        Message::Response(Response { id: Some(Id::Text(id)), outcome: Ok(raw) }) if id == "7" && raw.get() == "null"
    ));
    assert!(matches!(
        single(r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}"#).unwrap(),
        Message::Response(Response { id: None, outcome: Err(error) }) if error.code == 1
    ));
}

#[test]
fn an_id_keeps_its_type() {
    for (text, id) in [
        ("1", Id::Integer(1)),
        ("\"1\"", Id::from("1")),
        ("-5", Id::Integer(-5)),
    ] {
        let read: Id = serde_json::from_str(text).unwrap();
        assert_eq!(read, id);
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }
    for text in [
        "null",
        "1.5",
        "1e3",
        "true",
        "[]",
        "{}",
        "18446744073709551615",
    ] {
        assert!(serde_json::from_str::<Id>(text).is_err(), "{text}");
    }
    let long = format!("\"{}\"", "x".repeat(MAX_ID_BYTES + 1));
    assert!(serde_json::from_str::<Id>(&long).is_err());
}

#[test]
fn what_is_not_json_is_a_parse_error() {
    for text in [
        "",
        " ",
        "{",
        "{\"jsonrpc\":\"2.0\",}",
        "nul",
        "{'a':1}",
        "[1,",
        "{\"id\":1,\"id\":2,",
        "\u{feff}{}",
    ] {
        assert_eq!(
            read(text.as_bytes()).unwrap_err(),
            Violation::NotJson,
            "{text:?}"
        );
    }
    assert_eq!(read(b"{\"a\":\"\xff\"}").unwrap_err(), Violation::NotJson);
}

#[test]
fn what_is_json_but_no_message_is_an_invalid_request() {
    for (text, id, why) in [
        ("1", None, "a message is an object"),
        ("null", None, "a message is an object"),
        ("\"x\"", None, "a message is an object"),
        (
            r#"{"jsonrpc":"2.0","id":1,"id":1,"method":"a"}"#,
            None,
            "a member is there twice",
        ),
        (
            r#"{"id":1,"method":"a"}"#,
            Some(Id::Integer(1)),
            "jsonrpc must be \"2.0\"",
        ),
        (
            r#"{"jsonrpc":"1.0","id":1,"method":"a"}"#,
            Some(Id::Integer(1)),
            "jsonrpc must be \"2.0\"",
        ),
        (
            r#"{"jsonrpc":2.0,"id":"q","method":"a"}"#,
            Some(Id::from("q")),
            "jsonrpc must be \"2.0\"",
        ),
        (
            r#"{"jsonrpc":"2.0","id":null,"method":"a"}"#,
            None,
            "id must be a string or an integer",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1.5,"method":"a"}"#,
            None,
            "id must be a string or an integer",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":5}"#,
            Some(Id::Integer(1)),
            "method must be a string",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[]}"#,
            Some(Id::Integer(1)),
            "params must be an object",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":null}"#,
            Some(Id::Integer(1)),
            "params must be an object",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"a","result":1}"#,
            Some(Id::Integer(1)),
            "method together with result or error",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"result":1,"error":{}}"#,
            Some(Id::Integer(1)),
            "both result and error",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1}"#,
            Some(Id::Integer(1)),
            "no method, no result, no error",
        ),
        (
            r#"{"jsonrpc":"2.0","result":1}"#,
            None,
            "a response needs the id of its request",
        ),
        (
            r#"{"jsonrpc":"2.0","id":null,"result":1}"#,
            None,
            "a response needs the id of its request",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":"x","message":"m"}}"#,
            Some(Id::Integer(1)),
            "error must have an integer code and a message",
        ),
    ] {
        assert_eq!(refused(text), (id, Violation::NotAMessage(why)), "{text}");
        let is_response = text.contains("result") || text.contains("error");
        let has_method = text.contains("method");
        assert_eq!(
            single(text).unwrap_err().is_response(),
            is_response && !has_method,
            "{text}"
        );
    }
}

#[test]
fn depth_is_bounded_and_strings_do_not_count() {
    let nested = |depth: usize| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"m","params":{{"a":{}{}}}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    assert!(single(&nested(MAX_DEPTH - 2)).is_ok());
    assert_eq!(
        read(nested(MAX_DEPTH - 1).as_bytes()).unwrap_err(),
        Violation::TooDeep
    );
    assert_eq!(
        read("[".repeat(1_000_000).as_bytes()).unwrap_err(),
        Violation::TooDeep
    );
    let brackets = format!(
        r#"{{"jsonrpc":"2.0","method":"m","params":{{"a":"\"{}"}}}}"#,
        "[".repeat(500)
    );
    assert!(single(&brackets).is_ok());
}

#[test]
fn a_batch_has_bounds_and_each_message_is_read_by_itself() {
    let body = br#" [{"jsonrpc":"2.0","method":"a"}, 5, {"jsonrpc":"2.0","id":1}]"#;
    match read(body).unwrap() {
        Body::Batch(items) => {
            assert_eq!(items.len(), 3);
            assert!(items[0].is_ok());
            assert_eq!(
                items[1].clone().unwrap_err().violation,
                Violation::NotAMessage("a message is an object")
            );
            assert_eq!(items[2].clone().unwrap_err().id, Some(Id::Integer(1)));
        }
        Body::Single(_) => panic!("not a batch"),
    }
    assert_eq!(read(b"[]").unwrap_err(), Violation::BatchSize);
    let many = format!("[{}]", vec!["1"; MAX_BATCH + 1].join(","));
    assert_eq!(read(many.as_bytes()).unwrap_err(), Violation::BatchSize);
}

#[test]
fn an_error_without_a_readable_id_has_no_id_member() {
    let error = Violation::NotJson.error();
    assert_eq!(
        error_text(None, &error),
        r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"body is not JSON"}}"#
    );
    assert_eq!(
        error_text(Some(&Id::from("a")), &RpcError::method_not_found("x")),
        r#"{"jsonrpc":"2.0","id":"a","error":{"code":-32601,"message":"method not found: x"}}"#
    );
}

#[test]
fn a_resource_that_is_not_there_is_told_in_the_words_of_each_era() {
    let error = |code, data| {
        let error = RpcError::new(code, "no");
        let error: RpcError = match data {
            Some(data) => error.with_data(data),
            None => error,
        };
        error.is_resource_not_found()
    };
    let uri = || Some(serde_json::json!({ "uri": "a:1" }));
    assert!(error(-32002, None) && error(-32002, uri()) && error(-32602, uri()));
    assert!(!error(-32602, None) && !error(-32602, Some(serde_json::json!({ "uri": 1 }))));
    assert!(!error(-32603, uri()));
}
