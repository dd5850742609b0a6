//! Announcing changes, and the streams on which they are heard.

use std::sync::Arc;

use http::Extensions;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc::PermitIterator;
use tokio::sync::{broadcast, mpsc};

use super::exchange::{Outgoing, Reply};
use super::options::{DeliveryCheck, Ending};
use super::session::Listening;
use crate::jsonrpc::{self, Id, Text};
use crate::stateless::key;
use crate::types::{ListCapability, ResourceCapability, ServerCapabilities};

/// Something that clients may have kept has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources.
    Resources,
    /// One resource.
    Resource(String),
}

impl Change {
    fn notification(&self) -> (&'static str, Value) {
        match self {
            Change::Tools => ("notifications/tools/list_changed", json!({})),
            Change::Prompts => ("notifications/prompts/list_changed", json!({})),
            Change::Resources => ("notifications/resources/list_changed", json!({})),
            Change::Resource(uri) => ("notifications/resources/updated", json!({ "uri": uri })),
        }
    }
}

/// Where a handler announces changes. Clones announce to the same listeners.
///
/// A listener that is too slow misses some; lists are fetched anew anyway.
#[derive(Clone, Debug)]
pub struct Changes(broadcast::Sender<Change>);

impl Default for Changes {
    fn default() -> Self {
        Changes(broadcast::channel(64).0)
    }
}

impl Changes {
    /// Tells everyone who listens.
    pub fn announce(&self, change: Change) {
        // Nobody listening is no error.
        drop(self.0.send(change));
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.0.subscribe()
    }
}

/// Who hears of changes, and what the caller may still hear.
pub(super) struct Hearing {
    may_hear: Option<DeliveryCheck>,
    extensions: Arc<Extensions>,
}

impl Hearing {
    pub(super) fn new(may_hear: Option<DeliveryCheck>, extensions: Arc<Extensions>) -> Self {
        Hearing {
            may_hear,
            extensions,
        }
    }

    /// MCP-SUB-08: asked at delivery, because the caller may have lost a resource meanwhile.
    fn allows(&self, change: &Change) -> bool {
        match (change, &self.may_hear) {
            (Change::Resource(uri), Some(may_hear)) => may_hear(&self.extensions, uri),
            _ => true,
        }
    }
}

/// The parameters of `subscriptions/listen`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Listen {
    #[serde(default)]
    pub(super) notifications: Filter,
}

impl Listen {
    /// Whether it asks for news about tasks, which is for clients that can follow them.
    pub(super) fn wants_tasks(&self) -> bool {
        !self.notifications.task_ids.is_empty()
    }

    /// Leaves out what cannot be honoured, and the resources that the caller may not read.
    ///
    /// MCP-SUB-08: each is authorized by itself, as reading it would be.
    pub(super) fn narrow(
        &mut self,
        capabilities: &ServerCapabilities,
        may_read: impl Fn(&str) -> bool,
    ) {
        self.notifications.narrow(capabilities);
        let addresses = &mut self.notifications.resource_subscriptions;
        addresses.retain(|uri| may_read(uri));
    }
}

/// What a client wants to hear.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    tools_list_changed: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    prompts_list_changed: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    resources_list_changed: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    resource_subscriptions: Vec<String>,
    /// Read, and never honoured: tasks are looked at by `tasks/get`.
    #[serde(default, skip_serializing)]
    task_ids: Vec<String>,
}

/// MCP-SUB-01, bounded: addresses of one subscription; each is asked of the gate, and kept.
const MAX_ADDRESSES: usize = 256;

/// How long they may be in all, in bytes, as for the subscriptions of a session.
const MAX_ADDRESS_BYTES: usize = 64 * 1024;

impl Filter {
    /// Every change of a list.
    fn lists() -> Self {
        Filter {
            tools_list_changed: true,
            prompts_list_changed: true,
            resources_list_changed: true,
            resource_subscriptions: Vec::new(),
            task_ids: Vec::new(),
        }
    }

    /// Leaves what of it this server can honour.
    fn narrow(&mut self, capabilities: &ServerCapabilities) {
        self.tools_list_changed &= capabilities.tools.is_some_and(|tools| tools.list_changed);
        self.prompts_list_changed &= capabilities
            .prompts
            .is_some_and(|prompts| prompts.list_changed);
        let resources = capabilities.resources.unwrap_or_default();
        self.resources_list_changed &= resources.list_changed;
        if !resources.subscribe {
            self.resource_subscriptions.clear();
        }
        let mut bytes = 0_usize;
        let addresses = self.resource_subscriptions.iter();
        let fitting = addresses.take(MAX_ADDRESSES).take_while(|uri| {
            bytes = bytes.saturating_add(uri.len());
            bytes <= MAX_ADDRESS_BYTES
        });
        let fitting = fitting.count();
        self.resource_subscriptions.truncate(fitting);
    }

    fn wants(&self, change: &Change) -> bool {
        match change {
            Change::Tools => self.tools_list_changed,
            Change::Prompts => self.prompts_list_changed,
            Change::Resources => self.resources_list_changed,
            Change::Resource(uri) => self.resource_subscriptions.contains(uri),
        }
    }
}

/// Takes back what says that changes are told.
///
/// MCP-VER-04, MCP-LIFE-04: only what can be delivered is announced.
pub(super) fn without_changes(mut capabilities: ServerCapabilities) -> ServerCapabilities {
    for list in [&mut capabilities.tools, &mut capabilities.prompts] {
        *list = list.map(|_| ListCapability::default());
    }
    capabilities.resources = capabilities
        .resources
        .map(|_| ResourceCapability::default());
    capabilities
}

fn message(method: &str, params: Value) -> Outgoing {
    Outgoing::Message(jsonrpc::notification_text(method, Some(params)))
}

/// Serves one `subscriptions/listen`: acknowledgement first, then what was asked for, each tagged.
///
/// Ends with a result when the handler's [`Changes`] are gone, and when the caller's authorization
/// has ended.
pub(super) async fn listen(
    id: Id,
    listen: Listen,
    mut changes: broadcast::Receiver<Change>,
    hearing: Hearing,
    end: Option<Ending>,
    outbox: mpsc::Sender<Outgoing>,
) -> Reply {
    let filter = listen.notifications;
    // MCP-SUB-03: everything on the stream carries the id of the request.
    let tagged = |mut params: Value| {
        if let Some(members) = params.as_object_mut() {
            members.insert("_meta".to_owned(), json!({ key::SUBSCRIPTION_ID: &id }));
        }
        params
    };
    // MCP-SUB-02: the acknowledgement with what is honoured comes first.
    let acknowledged = tagged(json!({ "notifications": &filter }));
    let method = "notifications/subscriptions/acknowledged";
    let mut open = outbox.send(message(method, acknowledged)).await.is_ok();
    let mut end = end.unwrap_or_else(|| Box::pin(std::future::pending()));
    while open {
        // What was said before has been taken, so nothing waits here while its time passes.
        let (mut room, change) = tokio::select! {
            biased;
            () = &mut end => break,
            next = next(&mut changes, &outbox) => match next {
                Some(next) => next,
                None => break,
            },
        };
        if let Some(change) = change.filter(|change| filter.wants(change) && hearing.allows(change))
        {
            let (method, params) = change.notification();
            open = room
                .next()
                .map(|room| room.send(message(method, tagged(params))))
                .is_some();
        }
    }
    Reply {
        status: 200,
        text: Some(closing(&id)),
        instead: None,
    }
}

/// The next change, once everything that was said before is on its way, and the room to tell it.
/// `None` when there is nobody to tell or nothing to come.
async fn next<'a>(
    changes: &mut broadcast::Receiver<Change>,
    outbox: &'a mpsc::Sender<Outgoing>,
) -> Option<(PermitIterator<'a, Outgoing>, Option<Change>)> {
    let room = outbox.reserve_many(outbox.max_capacity()).await.ok()?;
    match changes.recv().await {
        Ok(change) => Some((room, Some(change))),
        Err(broadcast::error::RecvError::Lagged(_)) => Some((room, None)),
        Err(broadcast::error::RecvError::Closed) => None,
    }
}

/// The answer to a `subscriptions/listen` that has ended.
///
/// MCP-SUB-04: a graceful end is a complete result with the tag.
pub(super) fn closing(id: &Id) -> Text {
    let result = json!({ "resultType": "complete", "_meta": { key::SUBSCRIPTION_ID: id } });
    jsonrpc::result_text(id, result).into()
}

/// What tells a client without a stream of its own that a `subscriptions/listen` has ended.
pub(super) fn torn_down(id: &Id) -> String {
    let params = json!({
        "requestId": id,
        "reason": "the subscription has ended",
        "_meta": { key::SUBSCRIPTION_ID: id },
    });
    jsonrpc::notification_text("notifications/cancelled", Some(params))
}

/// Serves the GET stream of a session: changes, untagged, as the older revisions have them.
pub(super) async fn stream(
    listening: Listening,
    capabilities: &ServerCapabilities,
    changes: Option<broadcast::Receiver<Change>>,
    hearing: Hearing,
    outbox: mpsc::Sender<Outgoing>,
) -> Reply {
    let session = listening.session();
    // MCP-LIFE-04: only what was declared.
    let mut lists = Filter::lists();
    lists.narrow(capabilities);
    let Some(mut changes) = changes else {
        session.closed().await;
        return Reply {
            status: 200,
            text: None,
            instead: None,
        };
    };
    loop {
        let (mut room, change) = tokio::select! {
            () = session.closed() => break,
            next = next(&mut changes, &outbox) => match next {
                Some(next) => next,
                None => break,
            },
        };
        let wanted = |change: &Change| match change {
            Change::Resource(uri) => session.is_subscribed(uri),
            change => lists.wants(change),
        };
        // MCP-LIFE-03: nothing unasked for before the client is ready.
        let told = |change: &Change| {
            wanted(change) && session.is_ready() && listening.speaks() && hearing.allows(change)
        };
        if let Some(change) = change.filter(told) {
            let (method, params) = change.notification();
            if let Some(room) = room.next() {
                room.send(message(method, params));
            }
        }
    }
    Reply {
        status: 200,
        text: None,
        instead: None,
    }
}
