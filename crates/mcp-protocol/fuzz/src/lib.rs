//! What must hold for any bytes at all. The fuzz targets call these, and so does an ordinary test with the corpus.

mod peer;
mod service;

use std::fmt::Debug;

use http::{HeaderMap, HeaderValue};
use mcp_protocol::http::{check_params, decode, encode, header_params};
use mcp_protocol::jsonrpc::{self, Body, MAX_BATCH, Message};
use mcp_protocol::seal::{Binding, Key, Keys, Purpose};
use mcp_protocol::sse::{self, Decoder, Event};
use mcp_protocol::stateless::Mirror;
use mcp_protocol::stdio::{self, LineError};
use mcp_protocol::types;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use peer::answer;
pub use service::post;

/// The envelope: what is read can be written and is then read as the same.
pub fn envelope(data: &[u8]) {
    let Ok(body) = jsonrpc::read(data) else {
        return;
    };
    let messages = match body {
        Body::Single(message) => vec![message],
        Body::Batch(messages) => {
            assert!((1..=MAX_BATCH).contains(&messages.len()));
            messages
        }
    };
    for message in messages.into_iter().flatten() {
        let written = match &message {
            Message::Request(request) => {
                jsonrpc::request_text(&request.id, &request.method, request.params)
            }
            Message::Notification(note) => jsonrpc::notification_text(&note.method, note.params),
            Message::Response(response) => match (&response.id, &response.outcome) {
                (Some(id), Ok(result)) => jsonrpc::result_text(id, result),
                (id, Err(error)) => jsonrpc::error_text(id.as_ref(), error),
                (None, Ok(_)) => panic!("a result without an id was read"),
            },
        };
        let again = jsonrpc::message(&written).expect("what was written is read");
        assert_eq!(format!("{again:?}"), format!("{message:?}"));
    }
}

/// The parameters of one method: what is read can be written and is then read as the same.
pub fn params<T: DeserializeOwned + Serialize + Debug>(data: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(data) else {
        return;
    };
    let written = serde_json::to_string(&read).expect("what was read can be written");
    let again: T = serde_json::from_str(&written).expect("what was written is read");
    let rewritten = serde_json::to_string(&again).expect("what was read can be written");
    assert_eq!(written, rewritten);
}

/// The same for parameters with numbers that are read: their last digits are not kept.
pub fn trees<T: DeserializeOwned + Serialize>(data: &[u8]) {
    if let Ok(read) = serde_json::from_slice::<T>(data) {
        let written = serde_json::to_string(&read).expect("what was read can be written");
        drop(serde_json::from_str::<T>(&written).expect("what was written is read"));
    }
}

/// Event streams: the same events however the stream is cut, none over the bound, and each can be written again.
pub fn events(data: &[u8]) {
    const LIMIT: usize = 256;
    // The first byte says where the cuts are.
    let Some((&step, stream)) = data.split_first() else {
        return;
    };
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut decoder = Decoder::new(LIMIT);
        let mut events = Vec::new();
        for piece in pieces {
            events.extend(decoder.push(piece)?);
        }
        Ok::<Vec<Event>, sse::EventTooLong>(events)
    };
    let whole = read(&mut std::iter::once(stream));
    let cut = read(&mut stream.chunks(usize::from(step).max(1)));
    // Where the bound is passed, the cuts decide how many events came before it.
    assert_eq!(whole.is_ok(), cut.is_ok());
    let (Ok(whole), Ok(cut)) = (whole, cut) else {
        return;
    };
    assert_eq!(whole, cut);
    for event in whole {
        // A byte that is no UTF-8 becomes a character of three.
        assert!(event.data.len() <= 3 * LIMIT);
        let written = sse::encode(&event.data, event.id.as_deref());
        let again = Decoder::new(4 * LIMIT + 64)
            .push(written.as_bytes())
            .expect("within the bound");
        assert_eq!(again.len(), 1, "{written:?}");
        assert_eq!((&again[0].data, &again[0].id), (&event.data, &event.id));
    }
}

/// Lines: the same however the stream is cut, none over the bound, and each can be written again.
pub fn lines(data: &[u8]) {
    const LIMIT: usize = 64;
    // The first byte says where the cuts are.
    let Some((&step, stream)) = data.split_first() else {
        return;
    };
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut decoder = stdio::Decoder::new(LIMIT);
        let mut lines = Vec::new();
        for mut piece in pieces {
            while let Some(line) = decoder.next_line(&mut piece) {
                lines.push(line);
            }
        }
        lines.extend(decoder.finish());
        lines
    };
    let whole = read(&mut std::iter::once(stream));
    assert_eq!(whole, read(&mut stream.chunks(usize::from(step).max(1))));
    for line in whole.into_iter().flatten() {
        assert!(line.len() <= LIMIT);
        let mut written = Vec::new();
        stdio::encode(&line, &mut written);
        let spaced = line.replace('\r', " ");
        let again = stdio::Decoder::new(LIMIT).next_line(&mut &*written);
        assert_eq!(again, Some(Ok::<_, LineError>(spaced)), "{written:?}");
    }
}

/// Sealed state: nothing opens but what was sealed, to the byte, for the one and the call it was sealed for.
pub fn request_state(data: &[u8]) {
    let keys = Keys::new(Key::new([7; 32]));
    let binding = Binding::to_principal(Some("ada"));
    let seal = |payload: &str| {
        keys.seal(Purpose::RequestState, &binding, 100, payload, [3; 24])
            .expect("a short payload")
    };
    let open = |text: &str| keys.open(Purpose::RequestState, &binding, 99, text);
    let text = String::from_utf8_lossy(data);
    if let Ok(opened) = open(&text) {
        // Base64url has one spelling here, so that what opens is what was given.
        assert_eq!(seal(opened.payload()), text);
    }
    // What is given is a text with two bytes changed: where, and by how much.
    if let [at, by, payload @ ..] = data {
        let payload = String::from_utf8_lossy(payload);
        if payload.len() > 1024 {
            return;
        }
        let sealed = seal(&payload);
        assert_eq!(
            open(&sealed).expect("what was sealed opens").payload(),
            payload
        );
        let mut changed = sealed.clone().into_bytes();
        let at = usize::from(*at) % changed.len();
        changed[at] = changed[at].wrapping_add(*by) & 0x7f;
        let changed = String::from_utf8(changed).expect("ASCII");
        assert_eq!(open(&changed).is_ok(), changed == sealed);
    }
}

/// Forms: any schema is judged, and any content against it.
pub fn form(data: &[u8]) {
    let Ok((schema, content)) = serde_json::from_slice::<(Value, types::JsonObject)>(data) else {
        return;
    };
    if let Ok(form) = types::Form::read(&schema) {
        // Whatever it says of the content, it says it again.
        assert_eq!(form.check(&content), form.check(&content));
    }
}

/// Mirrored headers: what is read is written as the same, and any text can be sent.
pub fn headers(data: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(data)
        && let Mirror::Text(text) = decode(&value)
    {
        assert_eq!(decode(&encode(&text)), Mirror::Text(text));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        assert_eq!(decode(&encode(text)), Mirror::Text(text.into()));
    }
}

/// Annotated schemas: any schema is judged, and a call without headers is refused exactly where an argument needs one.
pub fn header_schema(data: &[u8]) {
    let Ok((schema, arguments)) = serde_json::from_slice::<(Value, Value)>(data) else {
        return;
    };
    let Ok(params) = header_params(&schema) else {
        return;
    };
    let wanted = params.iter().any(|param| {
        let argument = param
            .path
            .iter()
            .try_fold(&arguments, |value, step| value.get(step));
        argument.is_some_and(|argument| !argument.is_null())
    });
    let checked = check_params(&params, &HeaderMap::new(), &arguments);
    assert_eq!(checked.is_err(), wanted);
}

/// The name of a target, and what must hold for any bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Everything else that a target is made of, by the name of its target.
pub const READERS: [Target; 9] = [
    ("answer", answer),
    ("envelope", envelope),
    ("events", events),
    ("form", form),
    ("header_schema", header_schema),
    ("headers", headers),
    ("lines", lines),
    ("post", post),
    ("request_state", request_state),
];

/// The types whose JSON a peer writes, by the name of their target.
pub const PARAMS: [Target; 15] = [
    (
        "params_client_capabilities",
        params::<types::ClientCapabilities>,
    ),
    ("params_complete", params::<types::CompletionCall>),
    ("params_elicit", params::<types::Elicitation>),
    ("params_elicit_result", params::<types::ElicitationResult>),
    ("params_get_prompt", params::<types::PromptCall>),
    ("params_initialize", params::<types::Initialize>),
    ("params_meta", params::<types::Meta>),
    ("params_page", params::<types::Page>),
    ("params_resource", params::<types::ResourceAddress>),
    ("params_roots_result", params::<types::RootList>),
    ("params_sample", trees::<types::Sampling>),
    ("params_sample_result", params::<types::SamplingResult>),
    ("params_task", params::<types::TaskAddress>),
    ("params_task_update", trees::<types::TaskUpdate>),
    ("params_tool_call", params::<types::ToolCall>),
];
