//! What is checked before any endpoint: host, method, size, content type; and who may read the answers.

use http::{Request, header};
use http_body_util::Full;

use crate::world::{ISSUER, World, config, request};

#[tokio::test]
async fn a_host_from_elsewhere_is_refused() {
    let world = World::new();
    let call = |host: Option<&str>| {
        let mut builder = Request::get("/jwks");
        if let Some(host) = host {
            builder = builder.header(header::HOST, host);
        }
        world.call(builder.body(Full::default()).unwrap())
    };
    assert_eq!(call(Some("127.0.0.1:3001")).await.status, 200);
    for host in [
        "evil.example",
        "127.0.0.1",
        "127.0.0.1:3000",
        "localhost:3001",
        "127.0.0.1:3001@x",
        "",
    ] {
        let answer = call(Some(host)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_str()),
            (403, "host is not served here\n")
        );
    }
    assert_eq!(call(None).await.status, 403);
    let absolute = Request::get(format!("{ISSUER}/jwks"))
        .body(Full::default())
        .unwrap();
    assert_eq!(world.call(absolute).await.status, 200);
    let open = World::with(config().dangerous_allow_any_host());
    let elsewhere = Request::get("/jwks").header(header::HOST, "evil.example");
    assert_eq!(
        open.call(elsewhere.body(Full::default()).unwrap())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_method_that_is_not_there_is_named() {
    let world = World::new();
    for (method, path, allow) in [
        ("GET", "/token", "POST, OPTIONS"),
        ("PUT", "/register", "POST, OPTIONS"),
        ("GET", "/revoke", "POST, OPTIONS"),
        ("POST", "/jwks", "GET, HEAD, OPTIONS"),
        ("DELETE", "/authorize", "GET, HEAD, POST"),
        ("OPTIONS", "/consent", "GET, HEAD, POST"),
        ("OPTIONS", "/authorize", "GET, HEAD, POST"),
    ] {
        let answer = world
            .call(request(method, path).body(Full::default()).unwrap())
            .await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
    assert_eq!(world.get("/").await.status, 404);
    let head = world
        .call(request("HEAD", "/jwks").body(Full::default()).unwrap())
        .await;
    assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn a_long_body_is_refused() {
    let world = World::new();
    let long = "x".repeat(64 * 1024 + 1);
    for path in ["/token", "/revoke"] {
        let answer = world.post_form(path, &long).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_str()),
            (
                413,
                r#"{"error":"invalid_request","error_description":"the body is longer than 65536 bytes"}"#
            )
        );
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    assert_eq!(world.post_json("/register", &long).await.status, 413);
    assert_eq!(world.post_form("/consent", &long).await.status, 413);
    // Parameters have a bound of their own, which is lower.
    let answer = world.post_form("/token", &"x".repeat(32 * 1024)).await;
    assert_eq!(answer.error(), (413, "invalid_request".to_owned()));
}

#[tokio::test]
async fn another_content_type_is_refused() {
    let world = World::new();
    for kind in [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded, text/plain",
        "",
    ] {
        for path in ["/token", "/revoke"] {
            let call = request("POST", path)
                .header(header::CONTENT_TYPE, kind)
                .body(Full::from("grant_type=authorization_code"))
                .unwrap();
            let answer = world.call(call).await;
            assert_eq!(
                (answer.status.as_u16(), answer.body.as_str()),
                (
                    415,
                    r#"{"error":"invalid_request","error_description":"the body has to be application/x-www-form-urlencoded"}"#
                ),
                "{kind}"
            );
        }
    }
    let call = request("POST", "/token")
        .header(
            header::CONTENT_TYPE,
            "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
        )
        .body(Full::from("a=b"))
        .unwrap();
    assert_eq!(
        world.call(call).await.error(),
        (400, "invalid_request".to_owned())
    );
}

#[tokio::test]
async fn scripts_may_read_protocol_answers_and_no_page() {
    let world = World::new();
    for path in [
        "/token",
        "/register",
        "/revoke",
        "/jwks",
        "/.well-known/oauth-authorization-server",
    ] {
        let call = request("OPTIONS", path)
            .header(header::ORIGIN, "https://app.example")
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .body(Full::default())
            .unwrap();
        let answer = world.call(call).await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(
            answer.header("access-control-allow-headers"),
            "*, authorization"
        );
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
    let opaque = request("GET", "/jwks").header(header::ORIGIN, "null");
    let answer = world.call(opaque.body(Full::default()).unwrap()).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
}
