//! An array of messages (2025-03-26): each request is answered, or none is started.

use http::Response;
use tokio::sync::mpsc;

use super::body::Body;
use super::exchange::{self, OUTBOX, Reply, Working};
use super::handler::Handler;
use super::post::{Post, accepted, whole};
use super::request::{Answered, Message, Notification, Place, Request};
use super::service::refuse;
use super::spoken::Spoken;
use crate::jsonrpc::{Malformed, Text};
use crate::revision::Feature;
use crate::stateless::Params;
use crate::violation::Violation;

impl<H: Handler> Post<H> {
    /// Serves an array of messages, one after the other.
    pub(super) async fn batch(self, items: Vec<Result<Message<'_>, Malformed>>) -> Response<Body> {
        let place = match self.spoken(&Params::default()) {
            Ok(Spoken::Legacy(revision)) => self.place(revision),
            // MCP-RPC-07: single messages only.
            Ok(Spoken::Modern) | Err(_) => Err(Violation::BatchRefused),
        };
        let place = match place {
            Ok(place) if place.revision.has(Feature::Batches) => place,
            Ok(_) => return refuse(None, &Violation::BatchRefused),
            Err(violation) => return refuse(None, &violation),
        };
        if let Err(answered) = self.check_batch(&items, &place) {
            return whole(None, answered);
        }
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let mut started = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Err(Malformed { id, violation }) => {
                    started.push(Err(Answered::Refused(violation).into_text(id.as_ref())));
                }
                // MCP-RPC-06: initialize is never part of a batch.
                Ok(Message::Request(request)) if request.method == "initialize" => {
                    let answered = Answered::Refused(Violation::InitializeMisplaced);
                    started.push(Err(answered.into_text(Some(&request.id))));
                }
                Ok(Message::Request(request)) => {
                    started.push(
                        self.start_legacy(&request, &place, outbox.clone())
                            .map_err(|answered| answered.into_text(Some(&request.id))),
                    );
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
        if started.is_empty() {
            return accepted();
        }
        let working: Working = Box::pin(async move {
            let mut texts = Vec::with_capacity(started.len());
            for start in started {
                match start {
                    Ok(working) => texts.extend(working.await.text.map(Text::into_string)),
                    Err(text) => texts.push(text.into_string()),
                }
            }
            // JSON-RPC 2.0 section 6: an empty array is never an answer.
            Reply {
                status: 200,
                text: (!texts.is_empty()).then(|| format!("[{}]", texts.join(",")).into()),
                instead: None,
            }
        });
        exchange::answer(
            working,
            messages,
            self.caller.shared.options.keep_alive,
            place.session,
        )
        .await
    }

    /// Everything that refuses the whole array, before anything in it is started.
    fn check_batch(
        &self,
        items: &[Result<Message<'_>, Malformed>],
        place: &Place,
    ) -> Result<(), Answered> {
        for item in items {
            match item {
                // Requirements section 14.4: modern metadata decides, and MCP-RPC-07.
                Ok(Message::Request(Request { params, .. }))
                | Ok(Message::Notification(Notification { params, .. }))
                    if params.is_modern() =>
                {
                    return Err(Violation::BatchRefused.into());
                }
                Ok(Message::Request(request)) if request.method != "initialize" => {
                    self.caller.gate_legacy(request, place)?;
                }
                // As when they come alone: nobody was asked, or it does not say who.
                Ok(Message::Response(response))
                    if place.session.is_none() || response.id.is_none() =>
                {
                    return Err(Violation::ResponseRefused.into());
                }
                _ => {}
            }
        }
        Ok(())
    }
}
