//! To whom a message of the server is addressed.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::jsonrpc::{Id, Notification};

/// Whom a notification is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Addressee {
    /// The request with this progress token.
    Token(Id),
    /// The `subscriptions/listen` with this id.
    Subscription(Id),
    /// The `subscriptions/listen` with this id, which the server ends.
    Ended(Id),
    /// Whoever listens.
    Anybody,
    /// Nobody: it names no request that could be ours.
    Nobody,
}

#[derive(Deserialize)]
struct Marked {
    #[serde(rename = "_meta", default)]
    meta: Option<Subscribed>,
}

#[derive(Deserialize)]
struct Subscribed {
    #[serde(rename = "io.modelcontextprotocol/subscriptionId", default)]
    subscription: Option<Id>,
}

#[derive(Deserialize)]
struct Progress {
    #[serde(rename = "progressToken")]
    token: Id,
}

#[derive(Deserialize)]
pub(super) struct Cancelled {
    #[serde(rename = "requestId")]
    pub(super) request: Id,
}

#[derive(Deserialize)]
struct Tracked {
    #[serde(rename = "_meta", default)]
    meta: Option<Token>,
}

#[derive(Deserialize)]
struct Token {
    #[serde(rename = "progressToken", default)]
    token: Option<Id>,
}

fn read<T: DeserializeOwned>(params: Option<&RawValue>) -> Option<T> {
    serde_json::from_str(params?.get()).ok()
}

/// Reads whom a notification is for.
pub(super) fn addressee(notification: &Notification<'_>) -> Addressee {
    match notification.method.as_ref() {
        // MCP, progress: the token that the request came with.
        "notifications/progress" => read::<Progress>(notification.params)
            .map_or(Addressee::Nobody, |progress| {
                Addressee::Token(progress.token)
            }),
        // MCP 2026-07-28, cancellation: a server cancels nothing but a listening stream.
        "notifications/cancelled" => {
            cancelled(notification).map_or(Addressee::Nobody, Addressee::Ended)
        }
        // MCP-STDIO-04: by subscription, and an integer is not a string.
        _ => read::<Marked>(notification.params)
            .and_then(|marked| marked.meta?.subscription)
            .map_or(Addressee::Anybody, Addressee::Subscription),
    }
}

/// The id that a `notifications/cancelled` names.
pub(super) fn cancelled(notification: &Notification<'_>) -> Option<Id> {
    read::<Cancelled>(notification.params).map(|cancelled| cancelled.request)
}

/// The progress token of a request of ours.
pub(super) fn token(params: Option<&RawValue>) -> Option<Id> {
    read::<Tracked>(params)?.meta?.token
}
