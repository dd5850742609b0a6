//! Events that a client can have again after its connection broke: bounded, each stream by itself.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

/// How many streams of one session are kept.
pub const MAX_STREAMS: usize = 128;

/// The id of an event, unique in its session; it names its stream and the place in it.
///
/// Specification: MCP-LHTTP-08.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// Which stream.
    pub stream: u64,
    /// Which event of it; 0 is the one that opens the stream and says nothing.
    pub number: u64,
}

impl EventId {
    /// Reads an id; `None` for anything that this crate did not write.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (stream, number) = text.split_once('-')?;
        let id = EventId {
            stream: stream.parse().ok()?,
            number: number.parse().ok()?,
        };
        // One id has one spelling: no sign, no zeros in front.
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.stream, self.number)
    }
}

/// The event is not known, or what came after it is not kept any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event is not known any more")]
pub struct EventUnknown;

/// What came on a stream after an event.
#[derive(Clone, Debug)]
pub struct Missed {
    /// The messages, in order.
    pub events: Vec<(EventId, Arc<str>)>,
    /// Whether the stream has ended with them.
    pub ended: bool,
}

/// The recent events of one session, stream by stream.
#[derive(Debug)]
pub struct Replay {
    streams: BTreeMap<u64, Kept>,
    next: u64,
    bytes: usize,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct Kept {
    last: u64,
    events: VecDeque<(u64, Arc<str>)>,
    /// Nothing more comes.
    ended: bool,
}

impl Replay {
    /// Nothing yet; texts of at most this many bytes are kept.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Replay {
            streams: BTreeMap::new(),
            next: 0,
            bytes: 0,
            max_bytes,
        }
    }

    /// The same buffer, whose streams begin at this number. For a session that may have had other
    /// buffers elsewhere: an event of one of them must not look like one of ours.
    #[must_use]
    pub fn starting_at(mut self, next: u64) -> Self {
        self.next = next;
        self
    }

    /// Opens a stream, and gives the id of the event that opens it. When there are too many streams,
    /// the oldest that has ended makes room; `None` if none has, and when nothing is kept at all.
    pub fn open(&mut self) -> Option<EventId> {
        if self.max_bytes == 0 {
            return None;
        }
        if self.streams.len() >= MAX_STREAMS {
            let (ended, _) = self.streams.iter().find(|(_, kept)| kept.ended)?;
            let ended = *ended;
            self.forget(ended);
        }
        let stream = self.next;
        self.next = self.next.saturating_add(1);
        self.streams.insert(stream, Kept::default());
        Some(EventId { stream, number: 0 })
    }

    /// Keeps a message of a stream, and gives its id. The oldest messages of the session make room;
    /// one that is too long by itself has an id and is not kept.
    pub fn record(&mut self, stream: u64, message: &str) -> Option<EventId> {
        let kept = self.streams.get_mut(&stream)?;
        kept.last = kept.last.saturating_add(1);
        let number = kept.last;
        if message.len() > self.max_bytes {
            // What came before is of no use without it.
            for (_, gone) in kept.events.drain(..) {
                self.bytes = self.bytes.saturating_sub(gone.len());
            }
            return Some(EventId { stream, number });
        }
        kept.events.push_back((number, Arc::from(message)));
        self.bytes = self.bytes.saturating_add(message.len());
        self.make_room(stream);
        Some(EventId { stream, number })
    }

    /// Streams that have ended go first, then the oldest messages of the longest.
    fn make_room(&mut self, current: u64) {
        while self.bytes > self.max_bytes {
            let ended = self
                .streams
                .iter()
                .find(|(stream, kept)| kept.ended && **stream != current)
                .map(|(stream, _)| *stream);
            if let Some(ended) = ended {
                self.forget(ended);
                continue;
            }
            let longest = self.streams.values_mut().max_by_key(|kept| {
                kept.events
                    .iter()
                    .map(|(_, text)| text.len())
                    .sum::<usize>()
            });
            let Some((_, gone)) = longest.and_then(|kept| kept.events.pop_front()) else {
                return;
            };
            self.bytes = self.bytes.saturating_sub(gone.len());
        }
    }

    /// Nothing more comes on this stream; what there is can still be had.
    pub fn end(&mut self, stream: u64) {
        if let Some(kept) = self.streams.get_mut(&stream) {
            kept.ended = true;
        }
    }

    /// What came after an event on its stream.
    ///
    /// MCP-LHTTP-08: messages of that stream, and of no other.
    ///
    /// # Errors
    /// [`EventUnknown`], also when a message in between is not kept any more: a stream with a hole
    /// would look like a whole one.
    pub fn after(&self, id: EventId) -> Result<Missed, EventUnknown> {
        let kept = self.streams.get(&id.stream).ok_or(EventUnknown)?;
        let events: Vec<(EventId, Arc<str>)> = kept
            .events
            .iter()
            .filter(|(number, _)| *number > id.number)
            .map(|(number, text)| {
                let id = EventId {
                    number: *number,
                    ..id
                };
                (id, Arc::clone(text))
            })
            .collect();
        let expected = kept.last.checked_sub(id.number).ok_or(EventUnknown)?;
        if u64::try_from(events.len()) != Ok(expected) {
            return Err(EventUnknown);
        }
        Ok(Missed {
            events,
            ended: kept.ended,
        })
    }

    fn forget(&mut self, stream: u64) {
        if let Some(kept) = self.streams.remove(&stream) {
            let bytes: usize = kept.events.iter().map(|(_, text)| text.len()).sum();
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(stream: u64, number: u64) -> EventId {
        EventId { stream, number }
    }

    fn texts(replay: &Replay, id: EventId) -> Result<(Vec<String>, bool), EventUnknown> {
        let missed = replay.after(id)?;
        let texts = missed
            .events
            .iter()
            .map(|(id, text)| format!("{id} {text}"))
            .collect();
        Ok((texts, missed.ended))
    }

    #[test]
    fn an_id_is_read_as_it_was_written_and_nothing_else_is_one() {
        assert_eq!(id(3, 14).to_string(), "3-14");
        assert_eq!(EventId::parse("3-14"), Some(id(3, 14)));
        for other in [
            "",
            "3",
            "3-",
            "-3",
            "3-+1",
            "03-1",
            "3-01",
            "3-1-1",
            " 3-1",
            "a-1",
            "3-18446744073709551616",
        ] {
            assert_eq!(EventId::parse(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_stream_is_had_again_from_where_it_broke_and_by_itself() {
        let mut replay = Replay::new(1000);
        assert_eq!(replay.open(), Some(id(0, 0)));
        assert_eq!(replay.open(), Some(id(1, 0)));
        assert_eq!(replay.record(0, "a"), Some(id(0, 1)));
        assert_eq!(replay.record(1, "other"), Some(id(1, 1)));
        assert_eq!(replay.record(0, "b"), Some(id(0, 2)));
        let had =
            |texts: &[&str], ended| Ok((texts.iter().map(|t| (*t).to_owned()).collect(), ended));
        assert_eq!(texts(&replay, id(0, 0)), had(&["0-1 a", "0-2 b"], false));
        assert_eq!(texts(&replay, id(0, 1)), had(&["0-2 b"], false));
        replay.end(0);
        assert_eq!(texts(&replay, id(0, 2)), had(&[], true));
        assert_eq!(texts(&replay, id(1, 0)), had(&["1-1 other"], false));
        for unknown in [id(0, 3), id(2, 0)] {
            assert_eq!(texts(&replay, unknown), Err(EventUnknown), "{unknown}");
        }
        assert_eq!(replay.record(2, "nowhere"), None);
    }

    #[test]
    fn the_bytes_are_bounded_and_ended_streams_go_first() {
        let mut replay = Replay::new(10);
        for _ in 0..3 {
            replay.open();
        }
        replay.record(0, "aaaa");
        replay.record(1, "bbbb");
        replay.end(1);
        replay.record(2, "cccc");
        assert_eq!(texts(&replay, id(1, 0)), Err(EventUnknown));
        assert!(texts(&replay, id(0, 0)).is_ok() && texts(&replay, id(2, 0)).is_ok());
        replay.record(0, "dddd");
        // The longest lost its first; from the second on it is still whole.
        assert_eq!(texts(&replay, id(0, 0)), Err(EventUnknown));
        assert_eq!(texts(&replay, id(0, 1)).unwrap().0, ["0-2 dddd"]);
        assert!(texts(&replay, id(2, 0)).is_ok());
        assert!(replay.bytes <= 10);
    }

    #[test]
    fn a_message_that_is_too_long_is_not_kept() {
        let mut replay = Replay::new(10);
        replay.open();
        replay.record(0, "aaaa");
        assert_eq!(replay.record(0, "bbbbbbbbbbb"), Some(id(0, 2)));
        assert_eq!(texts(&replay, id(0, 0)), Err(EventUnknown));
        assert_eq!(texts(&replay, id(0, 1)), Err(EventUnknown));
        assert_eq!(texts(&replay, id(0, 2)).unwrap().0, Vec::<String>::new());
        assert_eq!(replay.bytes, 0);
        replay.record(0, "cccc");
        assert_eq!(texts(&replay, id(0, 2)).unwrap().0, ["0-3 cccc"]);
    }

    #[test]
    fn the_streams_are_bounded_and_an_ended_one_makes_room() {
        let mut replay = Replay::new(10);
        for _ in 0..MAX_STREAMS {
            assert!(replay.open().is_some());
        }
        assert_eq!(replay.open(), None);
        replay.record(5, "aaaa");
        replay.end(5);
        let number = u64::try_from(MAX_STREAMS).unwrap();
        assert_eq!(replay.open(), Some(id(number, 0)));
        assert_eq!(texts(&replay, id(5, 0)), Err(EventUnknown));
        assert_eq!(replay.bytes, 0);
        assert_eq!(Replay::new(0).open(), None);
    }
}
