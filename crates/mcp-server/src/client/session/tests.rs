//! A conversation against a server and its authorization server in memory; only the callback is a loopback socket.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::header;
use oauth_rs::params::Params;
use oauth_rs::time::UnixSeconds;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use oauth_rs::client::flow::StoredGrant;
use oauth_rs::client::store::{MemoryStore, Standing, save};
use oauth_rs::secret::Secret;
use oauth_rs::uri::Issuer;

use super::*;

const URL: &str = "https://mcp.example/mcp";

const ISSUER: &str = "https://as.example";
const NOW: UnixSeconds = UnixSeconds(1_000);
const LATE: UnixSeconds = UnixSeconds(5_000);

/// How the two servers behave, and what they were asked.
#[derive(Default)]
struct Behaviour {
    /// The access token that the resource accepts.
    accepts: Option<&'static str>,
    /// The access token that the token endpoint issues; none is `invalid_grant`.
    issues: Option<&'static str>,
    /// The resource wants this scope for every call, whatever the token.
    lacks: Option<&'static str>,
    reads_documents: bool,
    /// Where the authorization server says that people sign in.
    page: Option<&'static str>,
    /// Every page of the list names a next one.
    endless: bool,
    /// The first request to the token endpoint is refused.
    ends: bool,
    /// The resource wants no token at all.
    open: bool,
    log: Vec<String>,
}

#[derive(Clone, Default)]
struct World(Arc<Mutex<Behaviour>>);

impl World {
    fn log(&self) -> Vec<String> {
        self.0.lock().unwrap().log.clone()
    }

    fn count(&self, start: &str) -> usize {
        self.log()
            .iter()
            .filter(|line| line.starts_with(start))
            .count()
    }
}

fn answer(status: u16, body: &Value) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(body.to_string()))
        .unwrap()
}

fn refusal(status: u16, challenge: &str) -> Response<Bytes> {
    let mut response = answer(status, &json!({}));
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge.parse().unwrap());
    response
}

impl Service<Request<Bytes>> for World {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let mut world = self.0.lock().unwrap();
        let uri = request.uri().to_string();
        ready(Ok(match uri.as_str() {
            URL => world.resource(&request),
            "https://mcp.example/.well-known/oauth-protected-resource/mcp" => answer(
                200,
                &json!({"resource": URL, "authorization_servers": [ISSUER], "scopes_supported": ["z"]}),
            ),
            "https://as.example/.well-known/oauth-authorization-server" => answer(
                200,
                &json!({"issuer": ISSUER, "authorization_endpoint": world.page.unwrap_or("https://as.example/authorize"),
                    "token_endpoint": "https://as.example/token",
                    "registration_endpoint": "https://as.example/register",
                    "response_types_supported": ["code"],
                    "code_challenge_methods_supported": ["S256"],
                    "client_id_metadata_document_supported": world.reads_documents,
                    "authorization_response_iss_parameter_supported": true}),
            ),
            "https://as.example/register" => {
                world.log.push("register".to_owned());
                answer(
                    201,
                    &json!({"client_id": "new-client", "token_endpoint_auth_method": "none"}),
                )
            }
            "https://as.example/token" => world.token(request.body()),
            other => panic!("nobody is to ask {other}"),
        }))
    }
}

impl Behaviour {
    fn resource(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let token = request
            .headers()
            .get(header::AUTHORIZATION)
            .map(|v| v.to_str().unwrap());
        self.log
            .push(format!("call {}", token.unwrap_or("without a token")));
        let expected = self.accepts.map(|token| format!("Bearer {token}"));
        if !self.open && (expected.is_none() || token != expected.as_deref()) {
            return refusal(401, "Bearer scope=\"a b\"");
        }
        if let Some(scope) = self.lacks {
            return refusal(
                403,
                &format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""),
            );
        }
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let result = match body["method"].as_str().unwrap() {
            "server/discover" => json!({"supportedVersions": ["2026-07-28"]}),
            _ => {
                let mut list =
                    json!({"tools": [{"name": "do_it", "inputSchema": {"type": "object"}}]});
                if self.endless {
                    list["nextCursor"] = json!("more");
                }
                list
            }
        };
        answer(
            200,
            &json!({"jsonrpc": "2.0", "id": body["id"], "result": result}),
        )
    }

    fn token(&mut self, body: &Bytes) -> Response<Bytes> {
        let form = Params::parse_form(body, &[]).unwrap();
        assert_eq!(form.get("resource"), Some(URL));
        let what = form.get("refresh_token").or(form.get("code")).unwrap();
        self.log.push(format!("token for {what}"));
        let issues = self.issues.filter(|_| !std::mem::take(&mut self.ends));
        match issues {
            Some(token) => answer(
                200,
                &json!({"access_token": token, "token_type": "Bearer", "expires_in": 300,
                        "refresh_token": format!("refresh-{token}")}),
            ),
            None => answer(400, &json!({"error": "invalid_grant"})),
        }
    }
}

/// A person who agrees to everything: follows the redirect at once.
fn agree(world: &World, address: &str) {
    let query = address
        .strip_prefix("https://as.example/authorize?")
        .unwrap();
    let params = Params::parse_query(query, &[]).unwrap();
    let get = |name: &str| params.get(name).unwrap_or_default().to_owned();
    let line = format!("browser for {} with {}", get("client_id"), get("scope"));
    world.0.lock().unwrap().log.push(line);
    let authority = get("redirect_uri")
        .replace("http://", "")
        .replace("/callback", "");
    let back = oauth_rs::params::encode(&[
        ("code", "code-1"),
        ("state", &get("state")),
        ("iss", ISSUER),
    ]);
    tokio::spawn(async move {
        let mut stream = tokio::net::TcpStream::connect(&authority).await.unwrap();
        let request = format!("GET /callback?{back} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).await.unwrap();
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    });
}

fn grant(token: &str) -> StoredGrant {
    StoredGrant {
        resource: ResourceId::parse(URL).unwrap(),
        issuer: Issuer::parse(ISSUER).unwrap(),
        token_endpoint: "https://as.example/token".to_owned(),
        revocation_endpoint: None,
        client: oauth_rs::client::Client::public("client-1"),
        redirect_uri: RedirectUri::parse("http://127.0.0.1:4000/callback").unwrap(),
        requested_scope: Some(ScopeSet::parse("a").unwrap()),
        granted_scope: None,
        access_token: Secret::new(token),
        refresh_token: Some(Secret::new(format!("refresh-{token}"))),
        expires_at: Some(UnixSeconds(2_000)),
        dpop_jkt: None,
    }
}

struct Case {
    world: World,
    session: Session<World>,
    store: Arc<MemoryStore>,
}

async fn case(behaviour: Behaviour, stored: Option<&str>, now: UnixSeconds) -> Case {
    case_with(behaviour, stored, now, Settings::default()).await
}

async fn case_with(
    behaviour: Behaviour,
    stored: Option<&str>,
    now: UnixSeconds,
    settings: Settings,
) -> Case {
    let world = World(Arc::new(Mutex::new(behaviour)));
    let store = Arc::new(MemoryStore::new());
    if let Some(token) = stored {
        save(store.as_ref(), &grant(token)).await.unwrap();
    }
    let person = world.clone();
    let outside = Outside {
        store: Arc::clone(&store) as Arc<dyn TokenStore>,
        clock: Arc::new(move || now),
        entropy: Arc::new(SystemEntropy::new()),
        key: Arc::new(SigningKey::generate_es256().unwrap()),
        show: Arc::new(move |address| agree(&person, address)),
    };
    let session = Session::over(world.clone(), world.clone(), URL, settings, outside).unwrap();
    Case {
        world,
        session,
        store,
    }
}

impl Case {
    async fn kept(&self) -> Option<StoredGrant> {
        let kept = self.store.find(URL).await.unwrap();
        kept.map(|kept| kept.grant)
    }
}

#[tokio::test]
async fn without_a_grant_the_person_signs_in_and_the_call_goes_on() {
    let behaviour = Behaviour {
        accepts: Some("t1"),
        issues: Some("t1"),
        ..Behaviour::default()
    };
    let mut case = case(behaviour, None, NOW).await;
    let listed = case.session.tools().await.unwrap();
    assert_eq!(listed.tools[0].name, "do_it");
    assert_eq!(
        case.world.log(),
        [
            "call without a token",
            "register",
            "browser for new-client with a b",
            "token for code-1",
            "call Bearer t1",
            "call Bearer t1",
        ]
    );
    let kept = case.kept().await.unwrap();
    assert!(kept.access_token.ct_eq("t1"));
    assert!(kept.refresh_token.unwrap().ct_eq("refresh-t1"));
}

#[tokio::test]
async fn a_server_elsewhere_does_not_send_the_browser_to_this_machine() {
    let behaviour = Behaviour {
        page: Some("http://127.0.0.1:9000/admin?delete=all"),
        ..Behaviour::default()
    };
    let mut elsewhere = case(behaviour, None, NOW).await;
    let refused = elsewhere.session.tools().await.unwrap_err();
    assert!(matches!(refused, CommandError::SignIn(_)), "{refused}");
    assert_eq!(elsewhere.world.count("browser"), 0);
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let behaviour = Behaviour {
        accepts: Some("t1"),
        endless: true,
        ..Behaviour::default()
    };
    let mut case = case(behaviour, Some("t1"), NOW).await;
    let refused = case.session.tools().await.unwrap_err();
    assert!(refused.to_string().contains("32 pages"), "{refused}");
    // The pages, and finding out what the server speaks.
    assert_eq!(case.world.count("call"), 33);
}

#[tokio::test]
async fn login_says_who_and_what_in_one_line() {
    let behaviour = Behaviour {
        accepts: Some("t1"),
        issues: Some("t1"),
        ..Behaviour::default()
    };
    let mut case = case(behaviour, Some("stale"), NOW).await;
    let line = case.session.login().await.unwrap();
    assert_eq!(
        line,
        "signed in to https://mcp.example/mcp as client new-client, scopes a b"
    );
    assert!(case.kept().await.unwrap().access_token.ct_eq("t1"));
}

#[tokio::test]
async fn a_server_that_wants_nobody_is_told() {
    let behaviour = Behaviour {
        open: true,
        ..Behaviour::default()
    };
    let mut case = case(behaviour, None, NOW).await;
    let line = case.session.login().await.unwrap();
    assert_eq!(line, "https://mcp.example/mcp asks for no sign-in");
}

#[tokio::test]
async fn an_expired_token_is_renewed_before_the_call() {
    let behaviour = Behaviour {
        accepts: Some("t2"),
        issues: Some("t2"),
        ..Behaviour::default()
    };
    let mut case = case(behaviour, Some("t1"), LATE).await;
    case.session.tools().await.unwrap();
    assert_eq!(
        case.world.log(),
        ["token for refresh-t1", "call Bearer t2", "call Bearer t2"]
    );
    assert!(case.kept().await.unwrap().access_token.ct_eq("t2"));
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let behaviour = Behaviour {
        accepts: Some("t2"),
        issues: Some("t2"),
        ..Behaviour::default()
    };
    let mut renewed = case(behaviour, Some("t1"), NOW).await;
    renewed.session.tools().await.unwrap();
    assert_eq!(
        renewed.world.log(),
        [
            "call Bearer t1",
            "token for refresh-t1",
            "call Bearer t2",
            "call Bearer t2"
        ]
    );

    let behaviour = Behaviour {
        issues: Some("t2"),
        ..Behaviour::default()
    };
    let mut refused = case(behaviour, Some("t1"), NOW).await;
    let error = refused.session.tools().await.unwrap_err();
    assert!(
        matches!(error, CommandError::StillRefused { .. }),
        "{error:?}"
    );
    assert_eq!(
        refused.world.log(),
        [
            "call Bearer t1",
            "token for refresh-t1",
            "call Bearer t2",
            "browser for client-1 with a b",
            "token for code-1",
            "call Bearer t2"
        ]
    );
}

#[tokio::test]
async fn a_grant_that_has_ended_leads_to_the_browser_with_the_same_client() {
    let behaviour = Behaviour {
        ends: true,
        accepts: Some("t2"),
        issues: Some("t2"),
        ..Behaviour::default()
    };
    let mut case = case(behaviour, Some("t1"), LATE).await;
    case.session.tools().await.unwrap();
    assert_eq!(
        case.world.log(),
        [
            "token for refresh-t1",
            "call without a token",
            "browser for client-1 with a b",
            "token for code-1",
            "call Bearer t2",
            "call Bearer t2",
        ]
    );
    assert!(case.kept().await.unwrap().access_token.ct_eq("t2"));
    let kept = case.store.find(URL).await.unwrap().unwrap();
    assert_eq!(kept.standing, Standing::Good);
}

#[tokio::test]
async fn missing_scopes_are_asked_for_with_those_there_are() {
    let behaviour = Behaviour {
        accepts: Some("t1"),
        issues: Some("t1"),
        lacks: Some("b c"),
        ..Behaviour::default()
    };
    let mut case = case(behaviour, Some("t1"), NOW).await;
    let error = case.session.tools().await.unwrap_err();
    // This server wants more for ever; the person is asked once.
    assert!(
        matches!(
            error,
            CommandError::Server {
                error: ClientError::Forbidden { .. },
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(case.world.count("browser"), 1);
    assert!(
        case.world
            .log()
            .contains(&"browser for client-1 with a b c".to_owned())
    );
    assert_eq!(
        case.kept()
            .await
            .unwrap()
            .requested_scope
            .unwrap()
            .to_string(),
        "a b c"
    );
}

#[tokio::test]
async fn a_client_of_ours_is_used_instead_of_registering() {
    let document = "https://client.example/id.json";
    for (client_id, reads_documents, expected) in [
        (document, true, document),
        ("known-before", false, "known-before"),
        (document, false, "new-client"),
    ] {
        let behaviour = Behaviour {
            accepts: Some("t1"),
            issues: Some("t1"),
            reads_documents,
            ..Behaviour::default()
        };
        let scope = Some(ScopeSet::parse("only").unwrap());
        let settings = Settings {
            client_id: Some(client_id.to_owned()),
            scope,
            ..Settings::default()
        };
        let mut case = case_with(behaviour, None, NOW, settings).await;
        case.session.tools().await.unwrap();
        assert!(
            case.world
                .log()
                .contains(&format!("browser for {expected} with only")),
            "{:?}",
            case.world.log()
        );
        assert_eq!(
            case.world.count("register"),
            usize::from(expected == "new-client")
        );
    }
}

#[test]
fn only_addresses_of_this_machine_are_loopback() {
    for (url, expected) in [
        ("http://127.0.0.1:3000/mcp", true),
        ("http://127.1.2.3/mcp", true),
        ("http://localhost:3000/mcp", true),
        ("http://[::1]:3000/mcp", true),
        ("https://mcp.example/mcp", false),
        ("https://127.0.0.1.example/mcp", false),
        ("https://localhost.example/mcp", false),
        ("http://127.0.0.1@mcp.example/mcp", false),
        ("https://10.0.0.1/mcp", false),
    ] {
        assert_eq!(is_loopback(&url.parse().unwrap()), expected, "{url}");
    }
}

#[test]
fn an_address_that_no_token_may_be_sent_to_is_wrong_use() {
    assert!(endpoint("https://mcp.example/mcp").is_ok());
    assert!(endpoint("http://127.0.0.1:3000/mcp").is_ok());
    for refused in [
        "http://mcp.example/mcp",
        "mcp.example",
        "",
        "https://mcp.example/#part",
        "file:///etc",
    ] {
        let error = endpoint(refused).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{refused}");
    }
}
