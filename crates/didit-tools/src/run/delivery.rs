//! `didit_session_webhooks`: the deliveries of a session, waited for if there is none yet.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::acting::{Acting, Transport};
use crate::map::rows;
use crate::outcome::Outcome;
use crate::schema::Checked;

/// How much of a body is shown, in characters: enough to see what it is about.
const MAX_BODY: usize = 2048;

/// The headers of a delivery that say something to somebody who looks into a signature.
const HEADERS: [&str; 2] = ["x-signature", "x-timestamp"];

impl<S: Transport> Acting<'_, S> {
    pub(super) async fn session_webhooks(&self, checked: &Checked) -> Outcome {
        let wait = checked.number("wait_seconds").unwrap_or(0.0);
        // The schema holds it to 60 seconds.
        let mut left = Duration::from_secs_f64(wait.clamp(0.0, 60.0));
        loop {
            let mut answer = self.once(checked).await?;
            if left.is_zero() || rows(answer.clone()).is_none_or(|rows| !rows.is_empty()) {
                shorten(&mut answer);
                return Ok(answer);
            }
            let pause = self.poll.min(left);
            tokio::time::sleep(pause).await;
            left -= pause;
        }
    }
}

/// Cuts what is personal or long: bodies to their beginning, headers to those of the signature.
fn shorten(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match (name.as_str(), member) {
                    ("headers" | "request_headers", Value::Object(headers)) => keep_known(headers),
                    ("body" | "payload" | "request_body", body) => cut(body),
                    (_, other) => shorten(other),
                }
            }
        }
        _ => {}
    }
}

fn keep_known(headers: &mut Map<String, Value>) {
    headers.retain(|name, _| HEADERS.contains(&name.to_ascii_lowercase().as_str()));
}

fn cut(body: &mut Value) {
    let text = match &*body {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() > MAX_BODY {
        let beginning: String = text.chars().take(MAX_BODY).collect();
        *body = format!("{beginning}…").into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn headers_are_those_of_the_signature_and_bodies_their_beginning() {
        let mut answer = json!({"results": [{
            "headers": {"X-Signature": "s", "x-timestamp": "1", "Authorization": "secret"},
            "body": {"name": "x".repeat(3000)},
            "status": 200,
        }]});
        shorten(&mut answer);
        let row = &answer["results"][0];
        assert_eq!(
            row["headers"],
            json!({"X-Signature": "s", "x-timestamp": "1"})
        );
        assert_eq!(row["body"].as_str().unwrap().chars().count(), MAX_BODY + 1);
        assert_eq!(row["status"], 200);
    }
}
