//! Whether requests can be answered now: the issuer is reached, and nobody asked the program to stop.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use oauth_rs::secret::Secret;
use oauth_rs::uri::Issuer;
use resource_guard::fetch::{Introspector, KeyCache};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::wiring::front;

/// How long whoever asks waits: less than the time limit of common probes.
const PROBE_TIME: Duration = Duration::from_secs(2);

/// A token that nobody has; the issuer says that it is not active, and has answered.
const NOBODYS: &str = "readiness-probe";

/// How it is found out whether the issuer is reached: by what answers are kept for anyway.
///
/// The caches in between bound how often the issuer is asked, however often this is.
#[derive(Clone, Debug)]
pub(super) enum Probe {
    Introspector(Introspector),
    Keys(Issuer, KeyCache),
}

impl Probe {
    /// The page of `/readyz`: 200, or 503 with the part that is not ready.
    pub(super) async fn page(&self, stop: &CancellationToken) -> Response<Bytes> {
        if stop.is_cancelled() {
            return not_ready("server", "stopping");
        }
        match tokio::time::timeout(PROBE_TIME, self.reaches()).await {
            Ok(true) => front::json(StatusCode::OK, r#"{"status":"ready"}"#.to_owned()),
            Ok(false) => not_ready("issuer", "cannot be asked about tokens"),
            Err(_) => not_ready("issuer", "has not answered yet"),
        }
    }

    async fn reaches(&self) -> bool {
        match self {
            Self::Introspector(introspector) => {
                introspector.ask(&Secret::new(NOBODYS)).await.is_ok()
            }
            Self::Keys(issuer, keys) => keys
                .find(Some(issuer), None)
                .await
                .is_ok_and(|keys| keys.keys_of(issuer).is_some()),
        }
    }
}

fn not_ready(part: &str, why: &str) -> Response<Bytes> {
    let body = json!({"status": "not ready", "part": part, "why": why});
    let mut page = front::json(StatusCode::SERVICE_UNAVAILABLE, body.to_string());
    page.headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("5"));
    page
}
