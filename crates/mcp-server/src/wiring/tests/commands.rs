//! The client of the commands `login`, `tools` and `call` before the stack: each command is a process, with the same two files.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use oauth_rs::client::store::TokenStore as _;
use oauth_rs::time::UnixSeconds;
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::client::{Sent, TOKEN_ENDPOINT, Wire};
use super::world::*;
use crate::client::grants;
use crate::client::session::{Outside, Session};
use crate::client::sign_in::Settings;
use crate::data::DataDir;

/// A command that starts, with what earlier ones have kept in the folder.
fn command(world: &Arc<World>, wire: &Wire, folder: &DataDir) -> Session<Wire> {
    let store = grants::open(Some(folder.path().join("grants.json"))).unwrap();
    let (clock, browser) = (Arc::clone(world), Arc::clone(world));
    let outside = Outside {
        key: grants::key(&store).unwrap(),
        store: Arc::new(store),
        clock: Arc::new(move || UnixSeconds(clock.now())),
        entropy: Arc::new(world.entropy.clone()),
        show: Arc::new(move |address| {
            drop(tokio::spawn(visit(
                Arc::clone(&browser),
                address.to_owned(),
            )));
        }),
    };
    let settings = Settings::default();
    Session::over(wire.clone(), wire.clone(), MCP_URL, settings, outside).unwrap()
}

/// A browser: asks the authorization server, which consents, and goes where it is sent.
async fn visit(world: Arc<World>, address: String) {
    let request = Request::get(address).body(Bytes::new()).unwrap();
    let answer = world.exchange(request).await;
    let back = answer.header(header::LOCATION).to_owned();
    let (authority, path) = back
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .unwrap();
    let mut stream = tokio::net::TcpStream::connect(authority).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
}

fn is_proved(sent: &Sent) -> bool {
    sent.scheme.as_deref() == Some("DPoP") && sent.proof.is_some()
}

#[tokio::test]
async fn commands_bind_their_tokens_to_the_key_that_they_keep() {
    for nonces in [false, true] {
        let world = Arc::new(if nonces {
            World::asking_for_nonces("olivia")
        } else {
            World::as_person("olivia")
        });
        let wire = Wire::to(&world);
        let folder = DataDir::temporary(&world.entropy).unwrap();
        let line = command(&world, &wire, &folder).login().await.unwrap();
        assert!(line.starts_with("signed in to"), "{line}");
        let store = grants::open(Some(folder.path().join("grants.json"))).unwrap();
        let kept = store.find(MCP_URL).await.unwrap().unwrap().grant;
        let key = grants::key(&store).unwrap();
        assert_eq!(kept.dpop_jkt.as_deref(), Some(key.kid()));
        // The private key is in the other file alone.
        let text = std::fs::read_to_string(store.path()).unwrap();
        assert!(text.contains(key.kid()) && !text.contains("\"d\""));

        let _sign_in = (wire.sent(MCP_URL), wire.sent(TOKEN_ENDPOINT));
        let arguments = RawValue::from_string("{}".to_owned()).unwrap();
        for seconds in [0, ACCESS_TOKEN_LIFE.as_secs()] {
            world.advance(Duration::from_secs(seconds));
            let listed = command(&world, &wire, &folder).tools().await.unwrap();
            assert!(!listed.tools.is_empty());
            let mut call = command(&world, &wire, &folder);
            call.call("didit_org_list", &arguments).await.unwrap();
            let sent = wire.sent(MCP_URL);
            assert!(sent.iter().all(is_proved), "{sent:?}");
            let renewed = wire.sent(TOKEN_ENDPOINT);
            assert_eq!(renewed.is_empty(), seconds == 0, "{renewed:?}");
            assert!(renewed.iter().all(|sent| sent.proof.is_some()));
        }
    }
}
