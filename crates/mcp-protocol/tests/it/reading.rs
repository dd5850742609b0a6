//! Whatever a peer sends: an answer or a reason, never a panic, and nothing gets lost.

use mcp_protocol::jsonrpc::{self, Id, MAX_DEPTH};
use mcp_protocol::sse::{Decoder, encode};
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(jsonrpc::read(&bytes));
    }

    #[test]
    fn anything_of_braces_and_quotes_is_read_or_refused(text in r#"[\[\]{}",:\\ a0-]{0,100}"#) {
        let depth = text.matches(['[', '{']).count();
        let read = jsonrpc::read(text.as_bytes());
        prop_assert!(depth > MAX_DEPTH || !matches!(read, Err(mcp_protocol::Violation::TooDeep)));
    }

    #[test]
    fn any_id_comes_back_as_it_was(number in any::<i64>(), text in ".{0,64}") {
        for id in [Id::Integer(number), Id::Text(text)] {
            let written = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<Id>(&written).unwrap(), id);
        }
    }

    #[test]
    fn events_come_back_however_they_are_cut(data in "[^\r\n]{0,80}", cuts in proptest::collection::vec(1_usize..9, 1..40)) {
        let text = encode(&data, None);
        let (mut decoder, mut rest, mut events) = (Decoder::new(1024), text.as_bytes(), Vec::new());
        for cut in cuts.iter().cycle() {
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            events.extend(decoder.push(piece).unwrap());
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(events.len(), 1);
        prop_assert_eq!(&events[0].data, &data);
    }
}
