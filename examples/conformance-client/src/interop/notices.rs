//! The cases in which a server tells something without being asked, or is told that nobody waits any more.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mcp_protocol::client::{Change, Client, ClientError, Filter, Heard, Notice};
use mcp_protocol::revision::{Era, Revision};
use mcp_protocol::types::LogLevel;
use serde_json::json;
use serde_json::value::to_raw_value;

use super::Speaking;
use super::cases::{WATCHED, call, ensure, same, seen, text};
use crate::failed::Failed;

/// What takes longer than this does not come.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the server has told by itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox(Arc<Mutex<Vec<Notice>>>);

impl Inbox {
    /// One more.
    pub(crate) fn push(&self, notice: Notice) {
        self.with(|notices| notices.push(notice));
    }

    fn with<T>(&self, look: impl FnOnce(&mut Vec<Notice>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until this change was told.
    async fn told_of(&self, change: Change) -> Result<(), Failed> {
        let told = Notice::Changed(change);
        soon(|| self.with(|notices| notices.contains(&told))).await
    }
}

pub(super) async fn progress<C: Speaking>(client: &Client<C>) -> Result<(), Failed> {
    let reports = Mutex::new(Vec::new());
    let none = to_raw_value(&json!({}))?;
    let called = client
        .call("test_tool_with_progress", &none)
        .progress(|report| {
            let mut reports = reports.lock().unwrap_or_else(PoisonError::into_inner);
            reports.push((report.progress, report.total));
        })
        .send()
        .await?;
    text(&called.result)?;
    let reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    let expected = [0.0, 50.0, 100.0].map(|done| (done, Some(100.0)));
    same(reports.as_slice(), expected.as_slice(), "the progress")?;
    seen("progress")
}

pub(super) async fn log<C: Speaking>(
    client: &Client<C>,
    revision: Revision,
    inbox: &Inbox,
) -> Result<(), Failed> {
    if revision.era() == Era::Legacy {
        client.set_log_level(LogLevel::Info).await?;
    }
    let none = to_raw_value(&json!({}))?;
    let call = client.call("test_tool_with_logging", &none);
    text(&call.log(LogLevel::Info).send().await?.result)?;
    soon(|| inbox.with(|notices| notices.len() >= 3)).await?;
    let said: Vec<String> = inbox.with(|notices| {
        let notices = notices.drain(..).filter_map(|notice| match notice {
            Notice::Log(message) => message.data.as_str().map(str::to_owned),
            _ => None,
        });
        notices.collect()
    });
    let ends = ["started", "data", "completed"];
    let right =
        said.len() == ends.len() && said.iter().zip(ends).all(|(said, end)| said.ends_with(end));
    ensure(right, || format!("the log: {said:?}"))?;
    seen("log")
}

pub(super) async fn cancellation<C: Speaking>(client: &Client<C>) -> Result<(), Failed> {
    let before = cancelled(client).await?;
    let waiting = call(client, "test_cancellation", json!({}));
    // Nothing tells when the server has begun; before that there is nothing to cancel.
    let dropped = tokio::time::timeout(Duration::from_millis(200), waiting).await;
    ensure(dropped.is_err(), || format!("{dropped:?}"))?;
    let noticed = async {
        while cancelled(client).await? == before {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok::<(), Failed>(())
    };
    tokio::time::timeout(PATIENCE, noticed)
        .await
        .map_err(|_| Failed::Case("the server was not told of the cancellation".to_owned()))??;
    seen("cancellation")
}

/// In the newest era on a subscription, before that on the server's own stream, which is open.
pub(super) async fn changes<C: Speaking>(
    client: &Client<C>,
    revision: Revision,
    inbox: &Inbox,
) -> Result<(), Failed> {
    let watched = Change::Resource(WATCHED.to_owned());
    if revision.era() == Era::Legacy {
        client.subscribe_resource(WATCHED).await?;
        call(client, "test_trigger_tool_change", json!({})).await?;
        inbox.told_of(Change::Tools).await?;
        seen("changed list")?;
        call(client, "test_trigger_resource_change", json!({})).await?;
        inbox.told_of(watched).await?;
        seen("changed resource")?;
        return Ok(client.unsubscribe_resource(WATCHED).await?);
    }
    let wanted = Filter {
        tools_list_changed: true,
        resource_subscriptions: vec![WATCHED.to_owned()],
        ..Filter::default()
    };
    let mut subscription = client.subscribe(wanted).await?;
    ensure(subscription.refused().is_empty(), || {
        format!("not honoured: {:?}", subscription.refused())
    })?;
    call(client, "test_trigger_tool_change", json!({})).await?;
    heard(subscription.next(), Change::Tools).await?;
    seen("changed list")?;
    call(client, "test_trigger_resource_change", json!({})).await?;
    heard(subscription.next(), watched).await?;
    seen("changed resource")?;
    drop(subscription);
    // The Rust SDK waits some seconds for an answer when the end of a subscription and of its input come at once.
    cancelled(client).await.map(drop)
}

async fn heard(
    next: impl Future<Output = Result<Option<Heard>, ClientError>>,
    change: Change,
) -> Result<(), Failed> {
    let heard = tokio::time::timeout(PATIENCE, next)
        .await
        .map_err(|_| Failed::Case(format!("not heard of: {change:?}")))??;
    same(&heard, &Some(Heard::Changed(change)), "what is heard")
}

async fn cancelled<C: Speaking>(client: &Client<C>) -> Result<String, Failed> {
    text(&call(client, "test_cancellations_seen", json!({})).await?)
}

async fn soon(holds: impl Fn() -> bool) -> Result<(), Failed> {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .map_err(|_| Failed::Case("the server does not tell what it should".to_owned()))
}
