//! Server-sent events: an encoder, and an incremental decoder with a bound.

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The `event` field; empty means `message`.
    pub name: String,
    /// The `data` lines, joined by newlines.
    pub data: String,
    /// The `id` field, if this event had one.
    pub id: Option<String>,
    /// The `retry` field in milliseconds, if this event had one.
    pub retry_ms: Option<u64>,
}

/// Writes a message as an event; an id is put before the data.
///
/// Text with line ends in it, of whichever kind, becomes several `data` lines and arrives with `\n`.
/// JSON may have them too: what a handler passes through keeps the whitespace it came with.
///
/// Specification: HTML Living Standard, section 9.2.6.
#[must_use]
pub fn encode(data: &str, id: Option<&str>) -> String {
    let mut out = String::with_capacity(data.len() + 16);
    if let Some(id) = id {
        out.push_str("id: ");
        out.extend(id.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')));
        out.push('\n');
    }
    let mut rest = data;
    loop {
        let (line, after) = match rest.split_once(['\r', '\n']) {
            Some((line, after)) if rest.as_bytes().get(line.len()) == Some(&b'\r') => {
                (line, Some(after.strip_prefix('\n').unwrap_or(after)))
            }
            Some((line, after)) => (line, Some(after)),
            None => (rest, None),
        };
        out.push_str("data: ");
        out.push_str(line);
        out.push('\n');
        match after {
            Some(after) => rest = after,
            None => break,
        }
    }
    out.push('\n');
    out
}

/// Writes how long a client waits before it reconnects.
#[must_use]
pub fn encode_retry(milliseconds: u64) -> String {
    format!("retry: {milliseconds}\n\n")
}

/// A comment: keeps a quiet stream open and means nothing.
pub const KEEP_ALIVE: &str = ": keep-alive\n\n";

/// The stream had an event longer than the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event is longer than {limit} bytes")]
pub struct EventTooLong {
    /// The bound.
    pub limit: usize,
}

/// Reads events from pieces of a stream, however they are cut.
///
/// Holds at most one event; an event over the bound ends the decoder's life.
#[derive(Clone, Debug)]
pub struct Decoder {
    limit: usize,
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    after_return: bool,
    started: bool,
}

impl Decoder {
    /// A decoder that refuses events of more than this many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Decoder {
            limit,
            line: Vec::new(),
            event: Event::default(),
            has_data: false,
            after_return: false,
            started: false,
        }
    }

    /// Takes the next piece and gives the events that it completes.
    ///
    /// An event without data is given too when it has an id or a retry time: that is how a server
    /// primes a client for reconnection.
    ///
    /// # Errors
    /// [`EventTooLong`].
    ///
    /// Specification: HTML Living Standard, section 9.2.6.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<Event>, EventTooLong> {
        let mut events = Vec::new();
        for &byte in piece {
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => self.end_line(&mut events),
                _ => {
                    self.line.push(byte);
                    if self.line.len() + self.event.data.len() > self.limit {
                        return Err(EventTooLong { limit: self.limit });
                    }
                }
            }
        }
        Ok(events)
    }

    fn end_line(&mut self, events: &mut Vec<Event>) {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        // One byte order mark at the start of the stream is not part of it.
        let first = !std::mem::replace(&mut self.started, true);
        let line = if first {
            text.strip_prefix('\u{feff}').unwrap_or(&text)
        } else {
            &text
        };
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            let has_data = std::mem::take(&mut self.has_data);
            if has_data || event.id.is_some() || event.retry_ms.is_some() {
                events.push(event);
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            "event" => value.clone_into(&mut self.event.name),
            "id" if !value.contains('\0') => self.event.id = Some(value.to_owned()),
            "retry" if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) => {
                self.event.retry_ms = value.parse().ok();
            }
            // A comment, or a field that nobody knows.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Vec<Event> {
        Decoder::new(1024).push(text.as_bytes()).unwrap()
    }

    fn data(text: &str) -> Event {
        Event {
            data: text.into(),
            ..Event::default()
        }
    }

    #[test]
    fn what_is_encoded_is_decoded_however_it_is_cut() {
        let text = format!(
            "{}{}{}{KEEP_ALIVE}",
            encode("{\"a\":1}", Some("7")),
            encode("x\ny", None),
            encode_retry(500)
        );
        let expected = vec![
            Event {
                id: Some("7".into()),
                ..data("{\"a\":1}")
            },
            data("x\ny"),
            Event {
                retry_ms: Some(500),
                ..Event::default()
            },
        ];
        assert_eq!(whole(&text), expected);
        for cut in 0..text.len() {
            let mut decoder = Decoder::new(1024);
            let mut events = decoder.push(&text.as_bytes()[..cut]).unwrap();
            events.extend(decoder.push(&text.as_bytes()[cut..]).unwrap());
            assert_eq!(events, expected, "cut at {cut}");
        }
    }

    #[test]
    fn no_line_end_in_a_message_gets_out_of_its_data() {
        for end in ["\n", "\r", "\r\n"] {
            let text = encode(&format!("{{{end}\"a\":1}}"), None);
            assert_eq!(whole(&text), [data("{\n\"a\":1}")], "{end:?}");
        }
    }

    #[test]
    fn line_ends_comments_and_unknown_fields() {
        assert_eq!(
            whole("data: a\r\n\r\ndata:b\r\rdata\n\n"),
            [data("a"), data("b"), data("")]
        );
        assert_eq!(
            whole(": note\nfoo: bar\ndata:  two spaces\n\n"),
            [data(" two spaces")]
        );
        assert_eq!(whole("\u{feff}data: a\n\n"), [data("a")]);
        assert_eq!(whole("event: ping\n\n"), []);
        assert_eq!(whole("retry: 1x\n\n"), []);
        assert_eq!(whole("data: not finished\n"), []);
    }

    #[test]
    fn an_event_over_the_bound_is_refused() {
        let mut decoder = Decoder::new(8);
        assert_eq!(
            decoder.push(b"data: 123456789"),
            Err(EventTooLong { limit: 8 })
        );
        let mut decoder = Decoder::new(16);
        assert!(decoder.push(b"data: 1234567\n").is_ok());
        assert_eq!(
            decoder.push(b"data: 12345678\n"),
            Err(EventTooLong { limit: 16 })
        );
    }
}
