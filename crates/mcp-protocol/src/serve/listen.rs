//! Announcing changes, and the streams on which they are heard.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc};

use super::exchange::{Outgoing, Reply};
use super::sessions::Listening;
use crate::jsonrpc::{self, Id};
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

/// MCP-SUB-01, bounded: addresses of one subscription.
const MAX_ADDRESSES: usize = 256;

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

    /// What of it this server can honour.
    fn honoured(mut self, capabilities: &ServerCapabilities) -> Self {
        self.tools_list_changed &= capabilities.tools.is_some_and(|tools| tools.list_changed);
        self.prompts_list_changed &= capabilities
            .prompts
            .is_some_and(|prompts| prompts.list_changed);
        let resources = capabilities.resources.unwrap_or_default();
        self.resources_list_changed &= resources.list_changed;
        if !resources.subscribe {
            self.resource_subscriptions.clear();
        }
        self.resource_subscriptions.truncate(MAX_ADDRESSES);
        self
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
/// Ends with a result when the handler's [`Changes`] are gone.
pub(super) async fn listen(
    id: Id,
    listen: Listen,
    capabilities: ServerCapabilities,
    mut changes: broadcast::Receiver<Change>,
    outbox: mpsc::Sender<Outgoing>,
) -> Reply {
    let filter = listen.notifications.honoured(&capabilities);
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
    while open {
        match changes.recv().await {
            Ok(change) if filter.wants(&change) => {
                let (method, params) = change.notification();
                open = outbox.send(message(method, tagged(params))).await.is_ok();
            }
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => open = false,
        }
    }
    // MCP-SUB-04: a graceful end is a complete result with the tag.
    let result = json!({ "resultType": "complete", "_meta": { key::SUBSCRIPTION_ID: &id } });
    Reply {
        status: 200,
        text: Some(jsonrpc::result_text(&id, result).into()),
    }
}

/// Serves the GET stream of a session: changes, untagged, as the older revisions have them.
pub(super) async fn stream(
    listening: Listening,
    capabilities: &ServerCapabilities,
    changes: Option<broadcast::Receiver<Change>>,
    outbox: mpsc::Sender<Outgoing>,
) -> Reply {
    let session = listening.session();
    // MCP-LIFE-04: only what was declared.
    let lists = Filter::lists().honoured(capabilities);
    let Some(mut changes) = changes else {
        session.closed().await;
        return Reply {
            status: 200,
            text: None,
        };
    };
    loop {
        let change = tokio::select! {
            () = session.closed() => break,
            change = changes.recv() => change,
        };
        let wanted = match &change {
            Ok(Change::Resource(uri)) => session.is_subscribed(uri),
            Ok(change) => lists.wants(change),
            Err(broadcast::error::RecvError::Lagged(_)) => false,
            Err(broadcast::error::RecvError::Closed) => break,
        };
        if let (true, Ok(change)) = (wanted && listening.speaks(), change) {
            let (method, params) = change.notification();
            if outbox.send(message(method, params)).await.is_err() {
                break;
            }
        }
    }
    Reply {
        status: 200,
        text: None,
    }
}
