//! One line for each call of a tool: who, what, how it ended, how long it took, and no value.

use std::sync::Arc;

use bytes::Bytes;
use didit_tools::{Attendant, Begun, Failure, PermissionCheck, Watch};
use http::{Extensions, Response};
use oauth_rs::hash::sha256;
use resource_guard::Principal;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::metrics::Metrics;

/// Makes the response for a caller whose credential Didit has refused.
pub(crate) type Challenge = Arc<dyn Fn(&Extensions) -> Option<Response<Bytes>> + Send + Sync>;

/// Writes the audit lines, counts, and asks callers to sign in again.
pub(crate) struct Audit {
    /// `http` or `stdio`.
    pub(crate) transport: &'static str,
    /// The organisation of calls that name none.
    pub(crate) organization: Option<String>,
    pub(crate) metrics: Arc<Metrics>,
    /// None where a credential is not the caller's own: signing in again would not change it.
    pub(crate) challenge: Option<Challenge>,
}

impl Attendant for Audit {
    fn begins(&self, call: &Begun<'_>) -> Box<dyn Watch> {
        let organization = call
            .arguments()
            .get("organization_id")
            .and_then(Value::as_str);
        let who = call.extensions().get::<Principal>().cloned();
        Box::new(Line {
            begun: Instant::now(),
            // What is no tool has a name that the caller made up.
            tool: call.tool().unwrap_or("unknown"),
            transport: self.transport,
            // An id is written only as far as it can be one.
            organization: organization
                .filter(|id| is_id(id))
                .map(str::to_owned)
                .or_else(|| who.as_ref()?.organization.clone())
                .or_else(|| self.organization.clone()),
            who,
            digest: digest(call.arguments()),
            keys: call.argument_names().join(","),
            confirm: call.confirmed(),
            check: call.permission_check(),
            metrics: Arc::clone(&self.metrics),
            challenge: self.challenge.clone().map(|make| {
                let extensions = call.extensions().clone();
                Box::new(move || make(&extensions))
                    as Box<dyn Fn() -> Option<Response<Bytes>> + Send>
            }),
            ended: false,
        })
    }
}

/// Whether this is an id as Didit makes them: a UUID.
fn is_id(text: &str) -> bool {
    text.len() == 36
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// The first 16 hexadecimal digits of SHA-256 over the arguments, members sorted, without spaces.
///
/// Equal calls have equal digests; from the digest of a value that can be guessed the value can be found by trying.
fn digest(arguments: &Map<String, Value>) -> String {
    // The members of a map are sorted, at every level.
    let text = serde_json::to_vec(arguments).unwrap_or_default();
    let hash = sha256(&text);
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A call that has begun.
struct Line {
    begun: Instant,
    tool: &'static str,
    transport: &'static str,
    who: Option<Principal>,
    organization: Option<String>,
    digest: String,
    keys: String,
    confirm: Option<bool>,
    check: PermissionCheck,
    metrics: Arc<Metrics>,
    challenge: Option<Box<dyn Fn() -> Option<Response<Bytes>> + Send>>,
    ended: bool,
}

impl Line {
    fn write(&mut self, outcome: &'static str, code: Option<&'static str>) {
        self.ended = true;
        self.metrics.called(self.tool, code.unwrap_or(outcome));
        let who = self.who.as_ref();
        tracing::info!(
            target: "audit",
            event = "mcp.tool_call",
            tool = self.tool,
            outcome,
            error_code = code,
            duration_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            transport = self.transport,
            sub = who.and_then(|who| who.subject.named()),
            organization_id = self.organization,
            client_id = who.and_then(|who| who.client_id.as_deref()),
            args_digest = self.digest,
            arg_keys = self.keys,
            confirm = self.confirm,
            permission_check = match self.check {
                PermissionCheck::None => None,
                PermissionCheck::Passed => Some("passed"),
                PermissionCheck::Shadow => Some("would_refuse"),
                PermissionCheck::Refused => Some("refused"),
            },
        );
    }
}

impl Watch for Line {
    fn ended(
        mut self: Box<Self>,
        outcome: Option<Result<(), &Failure>>,
    ) -> Option<Response<Bytes>> {
        match outcome {
            None => self.write("error", Some("unknown_tool")),
            Some(Ok(())) => self.write("ok", None),
            Some(Err(failure)) => {
                self.write("error", Some(failure.code().as_str()));
                if failure.is_signed_out() {
                    return self.challenge.as_ref().and_then(|challenge| challenge());
                }
            }
        }
        None
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.ended {
            self.write("cancelled", None);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_digest_is_of_the_sorted_members() {
        let of = |value: Value| digest(value.as_object().unwrap());
        // printf '{"a":{"x":1,"y":2},"b":[1]}' | sha256sum
        let expected = "bf75b749ffb57f85";
        let one = of(json!({"b": [1], "a": {"y": 2, "x": 1}}));
        assert_eq!(one.len(), 16);
        assert_eq!(
            one,
            of(serde_json::from_str(r#"{"a":{"x":1,"y":2},"b":[1]}"#).unwrap())
        );
        assert_ne!(one, of(json!({"b": [2], "a": {"y": 2, "x": 1}})));
        assert_eq!(one, expected);
    }
}
