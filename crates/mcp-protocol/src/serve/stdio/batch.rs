//! An array of messages (2025-03-26) on one line.

use super::dialogue::{Dialogue, Ready};
use super::flights::Flight;
use crate::jsonrpc::{Malformed, Text};
use crate::revision::Feature;
use crate::serve::handler::Handler;
use crate::serve::request::{Message, Notification, Request};
use crate::violation::Violation;

impl<H: Handler> Dialogue<H> {
    /// Works on the requests of an array at the same time, and answers them in one line, each at the
    /// place of its request; those that are cancelled are left out.
    ///
    /// The gate is asked for each before any is started; one that is refused refuses itself alone.
    pub(super) async fn batch(&mut self, items: Vec<Result<Message<'_>, Malformed>>) {
        let is_allowed = self
            .opened
            .as_ref()
            .is_some_and(|opened| opened.session.0.revision().has(Feature::Batches));
        // MCP-RPC-07: single messages only. MCP-DUAL-01: modern metadata is of 2026-07-28.
        if !is_allowed || items.iter().any(is_modern) {
            return self.refuse(None, Violation::BatchRefused).await;
        }
        let mut started: Vec<Result<Ready, Text>> = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Err(malformed) => started.push(Err(self.malformed(malformed))),
                Ok(Message::Request(request)) => {
                    // MCP-RPC-06: initialize is never part of a batch.
                    let start = if request.method == "initialize" {
                        Err(Violation::InitializeMisplaced.into())
                    } else {
                        self.start(&request)
                    };
                    started.push(start.map_err(|answered| answered.into_text(Some(&request.id))));
                }
                Ok(Message::Notification(notification)) => self.notification(&notification),
                Ok(Message::Response(response)) => self.response(response),
            }
        }
        // JSON-RPC 2.0 section 6: nothing to answer is no answer.
        if started.is_empty() {
            return;
        }
        let output = self.output.clone();
        tokio::spawn(async move {
            let mut working = Vec::with_capacity(started.len());
            for start in started {
                let output = output.clone();
                working.push(
                    start.map(|ready| tokio::spawn(async move { ready.work(&output).await })),
                );
            }
            let mut answers = Vec::with_capacity(working.len());
            for work in working {
                match work {
                    Ok(work) => {
                        if let Ok(Some((flight, text))) = work.await {
                            answers.push((Some(flight), text.into_string()));
                        }
                    }
                    Err(text) => answers.push((None, text.into_string())),
                }
            }
            if answers.is_empty() {
                return;
            }
            let Some(room) = output.room().await else {
                return;
            };
            // MCP-STDIO-03: one that was done is cancelled, too, as long as it waits for the others.
            let is_wanted =
                |flight: &Option<Flight>| flight.as_ref().is_none_or(|flight| !flight.is_stopped());
            let (flights, texts): (Vec<_>, Vec<_>) = answers
                .into_iter()
                .filter(|(flight, _)| is_wanted(flight))
                .unzip();
            // The ids are free before the client can have read the answers.
            drop(flights);
            if !texts.is_empty() {
                room.send(Text::from(format!("[{}]", texts.join(","))).into());
            }
        });
    }
}

fn is_modern(item: &Result<Message<'_>, Malformed>) -> bool {
    match item {
        Ok(Message::Request(Request { params, .. }))
        | Ok(Message::Notification(Notification { params, .. })) => params.is_modern(),
        Ok(Message::Response(_)) | Err(_) => false,
    }
}
