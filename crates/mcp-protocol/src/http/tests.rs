//! Hosts, origins and media types, allowed and refused.

use ::http::Request;

use super::*;

fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut builder = Request::builder().uri(uri);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(()).unwrap().into_parts().0
}

#[test]
fn loopback_is_allowed_by_default_and_nothing_else() {
    let callers = Callers::default();
    for host in [
        "localhost",
        "LOCALHOST:3000",
        "127.0.0.1:80",
        "[::1]:3000",
        "[::1]",
    ] {
        assert_eq!(
            callers.check(&parts("/mcp", &[("host", host)])),
            Ok(()),
            "{host}"
        );
    }
    for host in [
        "evil.example.com",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "a@localhost",
        "127.0.0.2",
        "",
        "::1",
        "[::1].evil.example",
        "[::1]evil.example:80",
    ] {
        assert_eq!(
            callers.check(&parts("/mcp", &[("host", host)])),
            Err(Violation::Host),
            "{host}"
        );
    }
    assert_eq!(callers.check(&parts("/mcp", &[])), Err(Violation::Host));
    assert_eq!(
        callers.check(&parts(
            "/mcp",
            &[("host", "localhost"), ("host", "localhost")]
        )),
        Err(Violation::Host)
    );
    assert_eq!(callers.check(&parts("http://localhost:1/mcp", &[])), Ok(()));
    assert_eq!(
        callers.check(&parts("http://evil.example/mcp", &[("host", "localhost")])),
        Err(Violation::Host)
    );
}

#[test]
fn an_origin_is_absent_or_allowed() {
    let callers = Callers::default();
    let check =
        |origin| callers.check(&parts("/mcp", &[("host", "localhost"), ("origin", origin)]));
    for origin in [
        "http://localhost:5173",
        "https://127.0.0.1",
        "http://[::1]:8",
    ] {
        assert_eq!(check(origin), Ok(()), "{origin}");
    }
    for origin in [
        "http://evil.example.com",
        "null",
        "file://localhost",
        "localhost",
        "http://localhost@evil.example",
        "",
        "http://localhost/x@",
        "http://[::1].evil.example",
    ] {
        assert_eq!(check(origin), Err(Violation::Origin), "{origin}");
    }
}

#[test]
fn further_hosts_and_origins_are_matched_exactly() {
    let callers = Callers {
        loopback: false,
        hosts: vec!["mcp.example".into(), "api.example:8443".into()],
        origins: vec!["https://app.example".into()],
        ..Callers::default()
    };
    for (host, allowed) in [
        ("mcp.example", true),
        ("MCP.example:1", true),
        ("api.example:8443", true),
        ("api.example", false),
        ("localhost", false),
    ] {
        assert_eq!(
            callers.check(&parts("/", &[("host", host)])).is_ok(),
            allowed,
            "{host}"
        );
    }
    for (origin, allowed) in [
        ("https://app.example", true),
        ("http://app.example", false),
        ("http://localhost", false),
    ] {
        let result = callers.check(&parts("/", &[("host", "mcp.example"), ("origin", origin)]));
        assert_eq!(result.is_ok(), allowed, "{origin}");
    }
}

#[test]
fn any_origin_is_a_switch_that_leaves_the_host_checked() {
    let callers = Callers {
        loopback: false,
        hosts: vec!["mcp.example".into()],
        dangerous_any_origin: true,
        ..Callers::default()
    };
    for (host, origin, allowed) in [
        ("mcp.example", "https://any.example", true),
        ("mcp.example", "null", false),
        ("other.example", "https://any.example", false),
    ] {
        let result = callers.check(&parts("/", &[("host", host), ("origin", origin)]));
        assert_eq!(result.is_ok(), allowed, "{host} {origin}");
    }
}

#[test]
fn a_body_says_that_it_is_json() {
    for (value, ok) in [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("text/plain", false),
        ("application/json-patch+json", false),
        ("", false),
    ] {
        let parts = parts("/", &[("content-type", value)]);
        assert_eq!(check_content_type(&parts.headers).is_ok(), ok, "{value}");
    }
    assert_eq!(
        check_content_type(&HeaderMap::new()),
        Err(Violation::ContentType)
    );
}

#[test]
fn a_client_accepts_both_answers() {
    let both = ["application/json", "text/event-stream"];
    for (value, ok) in [
        ("application/json, text/event-stream", true),
        ("text/event-stream;q=0.5,Application/Json", true),
        ("*/*", true),
        ("application/*, text/*", true),
        ("application/json", false),
        ("text/event-stream", false),
        ("text/html", false),
        ("*/*;q=0", false),
        ("*/*, text/event-stream;q=0", false),
        ("*/*, text/event-stream; Q=0.000", false),
        ("text/event-stream;q=0, */*", false),
        ("*/*;q=0.001", true),
        ("*/*;q=0, application/json, text/*", true),
        (
            "application/*;q=0, application/json, text/event-stream",
            true,
        ),
        ("application/*, text/*;q=0", false),
        (
            "application/json;charset=utf-8;q=0, text/event-stream",
            false,
        ),
    ] {
        let parts = parts("/", &[("accept", value)]);
        assert_eq!(check_accept(&parts.headers, &both).is_ok(), ok, "{value}");
    }
    assert_eq!(check_accept(&HeaderMap::new(), &both), Ok(()));
}
