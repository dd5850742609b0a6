//! An array of messages (2025-03-26): each request is answered, or none is started.

use http::Response;
use tokio::sync::mpsc;

use super::body::Body;
use super::exchange::{self, OUTBOX, Reply, Working};
use super::handler::Handler;
use super::post::{Place, Post, Start, accepted};
use super::service::refuse;
use super::spoken::Spoken;
use crate::jsonrpc::{self, Id, Malformed, Message, Notification, Request, Text};
use crate::revision::Feature;
use crate::stateless::AnyMeta;
use crate::violation::Violation;

impl<H: Handler> Post<H> {
    /// Serves an array of messages, one after the other.
    pub(super) async fn batch(self, items: Vec<Result<Message<'_>, Malformed>>) -> Response<Body> {
        let place = match self.spoken(&AnyMeta::default()) {
            Ok(Spoken::Legacy(revision)) => self.place(revision),
            // MCP-RPC-07: single messages only.
            Ok(Spoken::Modern) | Err(_) => Err(Violation::BatchRefused),
        };
        let place = match place {
            Ok(place) if place.revision.has(Feature::Batches) => place,
            Ok(_) => return refuse(None, &Violation::BatchRefused),
            Err(violation) => return refuse(None, &violation),
        };
        if let Err(response) = self.check_batch(&items, &place) {
            return *response;
        }
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let mut starts = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Err(Malformed { id, violation }) => {
                    starts.push(Start::Replied(error_reply(id.as_ref(), &violation)));
                }
                // MCP-RPC-06: initialize is never part of a batch.
                Ok(Message::Request(request)) if request.method == "initialize" => {
                    let violation = Violation::InitializeMisplaced;
                    starts.push(Start::Replied(error_reply(Some(&request.id), &violation)));
                }
                Ok(Message::Request(request)) => {
                    let meta = AnyMeta::read(request.params);
                    match self.start_legacy(&request, &meta, &place, outbox.clone()) {
                        Start::Refused(violation) => {
                            starts.push(Start::Replied(error_reply(Some(&request.id), &violation)));
                        }
                        start => starts.push(start),
                    }
                }
                Ok(Message::Notification(notification)) => {
                    if let Err(violation) = self.notification(&notification) {
                        return refuse(None, &violation);
                    }
                }
                Ok(Message::Response(response)) => {
                    if let Err(violation) = self.response(response) {
                        return refuse(None, &violation);
                    }
                }
            }
        }
        drop(outbox);
        // MCP-RPC-06: nothing to answer is 202.
        if starts.is_empty() {
            return accepted();
        }
        let working: Working = Box::pin(async move {
            let mut texts = Vec::with_capacity(starts.len());
            for start in starts {
                let reply = match start {
                    Start::Working(working) => working.await,
                    Start::Replied(reply) => reply,
                    Start::Refused(_) | Start::Gated(_) => continue,
                };
                texts.extend(reply.text.map(Text::into_string));
            }
            // JSON-RPC 2.0 section 6: an empty array is never an answer.
            Reply {
                status: 200,
                text: (!texts.is_empty()).then(|| format!("[{}]", texts.join(",")).into()),
            }
        });
        exchange::answer(
            working,
            messages,
            self.shared.options.keep_alive,
            place.session,
        )
        .await
    }

    /// Everything that refuses the whole array, before anything in it is started.
    fn check_batch(
        &self,
        items: &[Result<Message<'_>, Malformed>],
        place: &Place,
    ) -> Result<(), Box<Response<Body>>> {
        for item in items {
            match item {
                // Requirements section 14.4: modern metadata decides, and MCP-RPC-07.
                Ok(Message::Request(Request { params, .. }))
                | Ok(Message::Notification(Notification { params, .. }))
                    if AnyMeta::read(*params).is_modern() =>
                {
                    return Err(Box::new(refuse(None, &Violation::BatchRefused)));
                }
                Ok(Message::Request(request)) if request.method != "initialize" => {
                    self.gate_legacy(request, place)?;
                }
                Ok(Message::Response(_)) if place.session.is_none() => {
                    return Err(Box::new(refuse(None, &Violation::ResponseRefused)));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn error_reply(id: Option<&Id>, violation: &Violation) -> Reply {
    Reply {
        status: 200,
        text: Some(jsonrpc::error_text(id, &violation.error()).into()),
    }
}
