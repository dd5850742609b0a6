//! Events for the destinations of an application: what is to be delivered, when, and what came of it.

use std::collections::VecDeque;

use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value, json};

use crate::date::timestamp;
use crate::record::RecordKind;
use crate::signing;
use crate::world::World;

/// Deliveries that are remembered; the oldest goes first.
const MOST_DELIVERIES: usize = 2_000;
/// Seconds until the first and until the second repetition.
const REPETITIONS: [u64; 2] = [60, 240];
const USER_AGENT: &str = "DiditWebhook/2.0 +https://didit.me";

/// One event for one destination.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) session: Option<String>,
    destination: String,
    url: String,
    kind: &'static str,
    body: String,
    headers: Vec<(&'static str, String)>,
    attempts: usize,
    /// When it is to be tried next; nothing once it is through or given up.
    due: Option<u64>,
    answered: Option<u16>,
    created_at: u64,
}

/// A webhook that is due: send the request, then tell the sandbox what came back.
#[derive(Debug)]
#[non_exhaustive]
pub struct Webhook {
    /// What to tell the sandbox about.
    pub id: String,
    /// The signed request. Its address is that of the destination.
    pub request: Request<Bytes>,
}

impl Delivery {
    pub(crate) fn show(&self) -> Value {
        let state = match (self.answered, self.due) {
            (Some(status), _) if (200..300).contains(&status) => "delivered",
            (_, Some(_)) => "pending",
            _ => "failed",
        };
        let headers: Map<String, Value> = self
            .headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
            .collect();
        json!({
            "uuid": self.id,
            "webhook_type": self.kind,
            "destination_uuid": self.destination,
            "url": self.url,
            "state": state,
            "attempts": self.attempts,
            "response_status": self.answered,
            "headers": headers,
            "body": self.body,
            "created_at": timestamp(self.created_at),
        })
    }

    fn request(&self) -> Option<Request<Bytes>> {
        let start = Request::post(&self.url);
        let builder = self
            .headers
            .iter()
            .fold(start, |builder, (name, value)| builder.header(*name, value));
        builder.body(Bytes::from(self.body.clone())).ok()
    }
}

/// The deliveries, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Deliveries(VecDeque<Delivery>);

impl Deliveries {
    /// Those of one session, the newest first.
    pub(crate) fn of(&self, session: &str) -> impl Iterator<Item = &Delivery> {
        let of = move |row: &&Delivery| row.session.as_deref() == Some(session);
        self.0.iter().rev().filter(of)
    }

    pub(crate) fn find(&mut self, id: &str) -> Option<&mut Delivery> {
        self.0.iter_mut().find(|row| row.id == id)
    }

    /// The first that is due, which counts as tried from now on.
    pub(crate) fn next(&mut self, now: u64) -> Option<Webhook> {
        let due = |row: &&mut Delivery| row.due.is_some_and(|due| due <= now);
        let row = self.0.iter_mut().find(due)?;
        row.attempts += 1;
        // Until it is told, this counts as one that was not answered.
        row.due = REPETITIONS
            .get(row.attempts - 1)
            .map(|wait| now.saturating_add(*wait));
        Some(Webhook {
            id: row.id.clone(),
            request: row.request()?,
        })
    }

    /// Notes what came back; anything but success is tried again while there are repetitions left.
    pub(crate) fn answered(&mut self, id: &str, status: u16) -> bool {
        let Some(row) = self.find(id) else {
            return false;
        };
        row.answered = Some(status);
        if (200..300).contains(&status) {
            row.due = None;
        }
        true
    }
}

impl Delivery {
    /// Puts it back to be tried at once, with all of its repetitions.
    pub(crate) fn again(&mut self, now: u64) {
        self.attempts = 0;
        self.answered = None;
        self.due = Some(now);
    }
}

impl World {
    /// Tells every destination of an application that wants to know of this.
    pub(crate) fn emit(&mut self, application: usize, kind: &'static str, about: &Value, now: u64) {
        let destinations: Vec<(String, String, String)> = self
            .records(RecordKind::Destination)
            .iter()
            .filter(|row| row.application == application)
            .filter_map(|row| {
                let text = |name: &str| row.fields.get(name)?.as_str().map(str::to_owned);
                let events = row.fields.get("subscribed_events")?.as_array()?;
                let wanted =
                    row.fields.get("enabled")? == true && events.iter().any(|event| event == kind);
                wanted.then_some((row.id.clone(), text("url")?, text("secret_shared_key")?))
            })
            .collect();
        let Some(row) = self.applications.get(application) else {
            return;
        };
        let mut body = json!({
            "webhook_type": kind,
            "timestamp": now,
            "created_at": now,
            "application_id": row.uuid,
            "environment": row.mode,
        });
        if let (Some(fields), Some(about)) = (body.as_object_mut(), about.as_object()) {
            fields.extend(about.clone());
        }
        for (destination, url, secret) in destinations {
            if let Some(fields) = body.as_object_mut() {
                fields.insert("event_id".to_owned(), self.generator.uuid().into());
            }
            let signed = signing::sign(&secret, &body);
            let delivery = Delivery {
                id: self.generator.uuid(),
                session: body
                    .get("session_id")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
                destination,
                url,
                kind,
                body: signing::written(&body),
                headers: vec![
                    ("content-type", "application/json".to_owned()),
                    ("user-agent", USER_AGENT.to_owned()),
                    ("x-timestamp", now.to_string()),
                    ("x-signature", signed.raw),
                    ("x-signature-v2", signed.canonical),
                    ("x-signature-simple", signed.simple),
                ],
                attempts: 0,
                due: Some(now),
                answered: None,
                created_at: now,
            };
            let rows = &mut self.deliveries.0;
            if rows.len() >= MOST_DELIVERIES {
                rows.pop_front();
            }
            rows.push_back(delivery);
        }
    }

    /// Tells of a session: its status or its data is another.
    pub(crate) fn emit_session(&mut self, id: &str, kind: &'static str, now: u64) {
        let Some(session) = self.session(id) else {
            return;
        };
        let workflow = self.workflows.get(session.workflow);
        let about = json!({
            "session_id": session.id,
            "status": session.status(now),
            "workflow_id": workflow.map(|row| row.workflow_id.as_str()),
            "workflow_version": workflow.map(|row| row.version),
            "vendor_data": session.vendor_data,
            "metadata": session.given.get("metadata"),
        });
        self.emit(session.application, kind, &about, now);
    }
}
