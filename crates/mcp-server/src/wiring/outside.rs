//! The world outside, for real: SQLite, the system's clock and randomness, and guarded HTTP.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use egress_guard::{Client, DocumentLimits, Documents, Limits, Policy};
use oauth_rs::entropy::Entropy as _;
use oauth_rs::jose::SigningKey;
use oauth_rs::time::Clock as _;
use oauth_server::document::{ClientDocuments, MAX_DOCUMENT, is_document};
use oauth_server::store::Store as _;
use oauth_store::SqliteStore;
use resource_guard::fetch::VerifiedTokens;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{Outside, Secrets};
use crate::data::{DataDir, DataError};
use crate::system::{SystemClock, SystemEntropy};

/// The keys kept in the folder, made on first start.
pub(crate) fn secrets(
    folder: &DataDir,
    entropy: &SystemEntropy,
) -> Result<Secrets, Box<dyn Error>> {
    let signing = folder.secret("signing.key", || {
        let fresh = SigningKey::generate_es256()?;
        Ok::<_, Box<dyn Error>>(Zeroizing::new(fresh.to_pkcs8().to_vec()))
    })?;
    let hash = folder.secret("hash.key", || {
        let mut key = Zeroizing::new(vec![0; 32]);
        entropy.fill(&mut key);
        Ok::<_, DataError>(key)
    })?;
    let hash = hash
        .as_slice()
        .try_into()
        .map_err(|_| "hash.key does not hold 32 bytes")?;
    Ok(Secrets {
        signing: SigningKey::from_pkcs8(&signing)?,
        hash,
    })
}

/// The outside of a `dev` that keeps its records in `store`.
pub(crate) fn outside(store: &Arc<SqliteStore>, entropy: SystemEntropy) -> Outside<Client> {
    // The sandbox is on loopback; a page of sessions with their decisions is larger than a
    // metadata document.
    let didit = Client::new(
        Policy::dangerous_allow_loopback(),
        Limits {
            body_bytes: 8 * 1024 * 1024,
            total: Duration::from_secs(30),
            headers: Duration::from_secs(30),
            // It is the only host.
            in_flight_per_host: Limits::default().in_flight,
            ..Limits::default()
        },
    );
    Outside {
        store: Arc::clone(store) as _,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(entropy),
        verified: VerifiedTokens::new(),
        documents: Some(Arc::new(Fetcher::new())),
        didit,
    }
}

/// The HTTP client of `serve` and `stdio`, for the addresses that the operator wrote down.
pub(crate) fn hosted_client(config: &crate::config::Tools) -> Client {
    let policy = match config.dangerous_allow_loopback {
        true => Policy::dangerous_allow_loopback(),
        false => Policy::configured(),
    };
    let limits = Limits {
        body_bytes: 8 * 1024 * 1024,
        total: Duration::from_secs(30),
        headers: Duration::from_secs(30),
        // Nearly everything is asked of one host.
        in_flight_per_host: Limits::default().in_flight,
        ..Limits::default()
    };
    Client::new(policy, limits)
}

/// Opens the database in the folder.
pub(crate) async fn open_store(folder: &DataDir) -> Result<Arc<SqliteStore>, Box<dyn Error>> {
    Ok(Arc::new(
        SqliteStore::open(folder.path().join("authorization.sqlite3")).await?,
    ))
}

/// Removes expired records once a minute until `stop`, then closes the store.
pub(crate) async fn keep_store(store: Arc<SqliteStore>, stop: CancellationToken) {
    // Records live for a minute at the least, and every sweep is bounded.
    let mut minute = tokio::time::interval(Duration::from_secs(60));
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = minute.tick() => {}
        }
        sweep(&store, &stop).await;
    }
    store.close().await;
}

/// How many records one write removes; others wait for it no longer than that.
const SWEEP: usize = 1000;

/// Removes expired records until none is left, or until `stop`.
async fn sweep(store: &SqliteStore, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        match store.sweep(SystemClock.now(), SWEEP).await {
            Ok(SWEEP) => {}
            Ok(_) => break,
            Err(error) => {
                tracing::warn!(%error, "expired records not removed");
                break;
            }
        }
    }
}

/// Fetches the documents of clients through the guard of outgoing requests, and keeps them for a short while.
struct Fetcher(Documents);

impl Fetcher {
    fn new() -> Self {
        let limits = Limits {
            body_bytes: MAX_DOCUMENT,
            ..Limits::default()
        };
        let client = Client::new(Policy::dangerous_allow_loopback(), limits);
        // A client that withdraws an address is heeded within a minute.
        let limits = DocumentLimits {
            longest: Duration::from_secs(60),
            ..DocumentLimits::default()
        };
        Self(Documents::new(client, limits, SystemTime::now).keeping_only(is_document))
    }
}

#[async_trait]
impl ClientDocuments for Fetcher {
    async fn fetch(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, Box<dyn Error + Send + Sync>> {
        Ok(self.0.send(request).await?)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test]
    async fn a_hundred_sign_ins_fetch_a_document_once_and_what_is_none_each_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/client.json", listener.local_addr().unwrap());
        let document = format!(
            r#"{{"client_id":"{url}","client_name":"App","redirect_uris":["http://127.0.0.1/cb"]}}"#
        );
        let serving = tokio::spawn(async move {
            let mut requests = 0;
            // The first answer is no document of this client.
            for body in ["{}", "{}", &document] {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = [0; 4096];
                assert!(stream.read(&mut head).await.unwrap() > 0);
                requests += 1;
                let length = body.len();
                let head =
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
                let answer = format!("{head}content-length: {length}\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            requests
        });
        let fetcher = Arc::new(Fetcher::new());
        let get = || {
            let (fetcher, url) = (Arc::clone(&fetcher), url.clone());
            async move {
                let request = http::Request::get(url).body(Bytes::new()).unwrap();
                fetcher.fetch(request).await.unwrap().into_body()
            }
        };
        assert_eq!((get().await, get().await), ("{}".into(), "{}".into()));
        let all: JoinSet<Bytes> = (0..100).map(|_| get()).collect();
        let got = all.join_all().await;
        assert!(got.len() == 100 && got.iter().all(|body| body.starts_with(b"{\"client_id\"")));
        assert_eq!(get().await, got[0]);
        assert_eq!(serving.await.unwrap(), 3);
    }
}
