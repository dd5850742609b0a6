//! One message per line: an encoder, and an incremental decoder with a bound.
//!
//! The framing of standard input and output, and of any other pair of byte streams (a Unix socket, a
//! TCP connection): JSON text in UTF-8, ended by a newline.
//!
//! Specification: MCP transports, "stdio".

/// Writes a message as one line at the end of `out`.
///
/// Newlines and carriage returns in the text become spaces. JSON has them between tokens only (in a
/// string they are written as escapes), so that the text means what it meant: what a handler passes
/// through keeps the whitespace it came with. Text that is not JSON becomes one line too, so it
/// cannot be taken for a second message.
///
/// Does not check that the text is JSON.
///
/// Specification: MCP-STDIO-01.
pub fn encode(message: &str, out: &mut Vec<u8>) {
    encode_pieces([message.as_bytes()], out);
}

/// The same for a message in pieces.
pub(crate) fn encode_pieces<const N: usize>(pieces: [&[u8]; N], out: &mut Vec<u8>) {
    let start = out.len();
    out.reserve(pieces.iter().map(|piece| piece.len()).sum::<usize>() + 1);
    for piece in pieces {
        out.extend_from_slice(piece);
    }
    for byte in out.iter_mut().skip(start) {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    out.push(b'\n');
}

/// Why a line cannot be read. The lines after it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The line is longer than the bound.
    #[error("line is longer than {limit} bytes")]
    TooLong {
        /// The bound.
        limit: usize,
    },
    /// The line is not UTF-8.
    #[error("line is not UTF-8")]
    NotUtf8,
}

/// Reads lines from pieces of a stream, however they are cut.
///
/// - A line ends with `\n` or `\r\n`.
/// - A line of white space alone is none.
/// - A line over the bound is one error, given as soon as it is over; the rest of it is skipped and
///   not kept.
/// - A line that is not UTF-8 is one error.
///
/// Holds at most one line, and never more of it than the bound.
///
/// Specification: MCP-STDIO-01.
#[derive(Clone, Debug)]
pub struct Decoder {
    limit: usize,
    line: Vec<u8>,
    skipping: bool,
}

impl Decoder {
    /// A decoder that refuses lines of more than this many bytes, not counting the `\n`.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Decoder {
            limit,
            line: Vec::new(),
            skipping: false,
        }
    }

    /// Takes bytes from the front of the piece until they complete a line; none when the piece is
    /// used up.
    ///
    /// ```
    /// use mcp_protocol::stdio::Decoder;
    ///
    /// let mut decoder = Decoder::new(1024);
    /// let mut piece: &[u8] = b"{\"a\":1}\r\n\n{\"b\":2}\n{\"c\"";
    /// let mut lines = Vec::new();
    /// while let Some(line) = decoder.next_line(&mut piece) {
    ///     lines.push(line?);
    /// }
    /// assert_eq!(lines, ["{\"a\":1}", "{\"b\":2}"]);
    /// # Ok::<(), mcp_protocol::stdio::LineError>(())
    /// ```
    pub fn next_line(&mut self, piece: &mut &[u8]) -> Option<Result<String, LineError>> {
        while !piece.is_empty() {
            let mut parts = piece.splitn(2, |byte| *byte == b'\n');
            let part = parts.next().unwrap_or_default();
            let rest = parts.next();
            *piece = rest.unwrap_or_default();
            let is_ended = rest.is_some();
            if self.skipping {
                self.skipping = !is_ended;
                continue;
            }
            if part.len() > self.limit.saturating_sub(self.line.len()) {
                self.line = Vec::new();
                self.skipping = !is_ended;
                return Some(Err(LineError::TooLong { limit: self.limit }));
            }
            self.line.extend_from_slice(part);
            if is_ended && let Some(line) = self.end_line() {
                return Some(line);
            }
        }
        None
    }

    /// The line that the end of the stream ends, if there is one.
    ///
    /// A message that was cut off is not JSON, so it cannot be taken for a shorter one.
    pub fn finish(&mut self) -> Option<Result<String, LineError>> {
        self.skipping = false;
        self.end_line()
    }

    fn end_line(&mut self) -> Option<Result<String, LineError>> {
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
            return None;
        }
        Some(String::from_utf8(line).map_err(|_| LineError::NotUtf8))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const TOO_LONG: LineError = LineError::TooLong { limit: 8 };

    /// All lines of some pieces and of the end after them, with a bound of eight bytes.
    fn lines(pieces: &[&[u8]]) -> Vec<Result<String, LineError>> {
        let mut decoder = Decoder::new(8);
        let mut lines = Vec::new();
        for piece in pieces {
            let mut piece = *piece;
            while let Some(line) = decoder.next_line(&mut piece) {
                assert!(decoder.line.len() <= 8);
                lines.push(line);
            }
            assert!(piece.is_empty());
            assert!(decoder.line.len() <= 8);
        }
        lines.extend(decoder.finish());
        lines
    }

    fn ok(line: &str) -> Result<String, LineError> {
        Ok(line.to_owned())
    }

    #[test]
    fn line_ends_and_blank_lines() {
        for (text, expected) in [
            ("", vec![]),
            ("a\nb\n", vec![ok("a"), ok("b")]),
            ("a\r\nb\r\n", vec![ok("a"), ok("b")]),
            ("\n\r\n \t\n \r\na\n\n", vec![ok("a")]),
            ("a\rb\n", vec![ok("a\rb")]),
            ("a\r\r\n", vec![ok("a\r")]),
            ("a\nb", vec![ok("a"), ok("b")]),
            ("a\r", vec![ok("a")]),
        ] {
            assert_eq!(lines(&[text.as_bytes()]), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_over_the_bound_is_one_error_and_the_next_line_is_read() {
        for (text, expected) in [
            ("12345678\nb\n", vec![ok("12345678"), ok("b")]),
            ("123456789\nb\n", vec![Err(TOO_LONG), ok("b")]),
            // The carriage return counts.
            ("12345678\r\nb\n", vec![Err(TOO_LONG), ok("b")]),
            (
                "123456789123456789123456789\n\nb",
                vec![Err(TOO_LONG), ok("b")],
            ),
            ("         \n123456789", vec![Err(TOO_LONG), Err(TOO_LONG)]),
        ] {
            assert_eq!(lines(&[text.as_bytes()]), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_over_the_bound_is_told_before_it_ends_and_nothing_of_it_is_kept() {
        let mut decoder = Decoder::new(8);
        assert_eq!(decoder.next_line(&mut b"1234".as_slice()), None);
        assert_eq!(
            decoder.next_line(&mut b"56789".as_slice()),
            Some(Err(TOO_LONG))
        );
        assert_eq!(decoder.line.capacity(), 0);
        for _ in 0..1000 {
            assert_eq!(decoder.next_line(&mut [b'x'; 100].as_slice()), None);
        }
        assert_eq!(decoder.line.capacity(), 0);
        assert_eq!(decoder.next_line(&mut b"x\nb\n".as_slice()), Some(ok("b")));
    }

    #[test]
    fn a_line_that_is_not_utf8_is_one_error_and_the_next_line_is_read() {
        assert_eq!(
            lines(&[b"\xff\xfe\n\xc3\nb\n\xc3\xa4\n"]),
            [
                Err(LineError::NotUtf8),
                Err(LineError::NotUtf8),
                ok("b"),
                ok("ä")
            ]
        );
        // A character may be cut between two pieces.
        assert_eq!(lines(&[b"\xc3", b"\xa4\n"]), [ok("ä")]);
    }

    #[test]
    fn no_line_end_in_a_message_gets_out_of_its_line() {
        for (message, line) in [
            ("{\"a\":1}", "{\"a\":1}\n"),
            ("{\n\"a\":\r\n1\r}", "{ \"a\":  1 }\n"),
            ("{\"a\":\"\\n\"}", "{\"a\":\"\\n\"}\n"),
            ("x\n{\"a\":1}", "x {\"a\":1}\n"),
        ] {
            let mut out = b"before\n".to_vec();
            encode(message, &mut out);
            assert_eq!(out, format!("before\n{line}").into_bytes());
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(".*", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        /// Pieces of few kinds of bytes, so that line ends, blanks and long lines are frequent.
        #[test]
        fn however_it_is_cut_the_lines_are_the_same(
            text in prop::collection::vec(
                prop::sample::select(b"ab \t\r\n\n\xff\xc3\xa4".to_vec()), 0..64),
            cuts in prop::collection::vec(0_usize..64, 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&text[from..cut]);
                from = cut;
            }
            pieces.push(&text[from..]);

            let expected: Vec<Result<String, LineError>> = text
                .split(|byte| *byte == b'\n')
                .filter_map(|line| {
                    if line.len() > 8 {
                        return Some(Err(TOO_LONG));
                    }
                    let line = line.strip_suffix(b"\r").unwrap_or(line);
                    let line = String::from_utf8(line.to_vec());
                    match line {
                        Ok(line) if line.trim_matches([' ', '\t', '\r']).is_empty() => None,
                        line => Some(line.map_err(|_| LineError::NotUtf8)),
                    }
                })
                .collect();
            prop_assert_eq!(lines(&[&text]), expected.clone());
            prop_assert_eq!(lines(&pieces), expected);
        }

        #[test]
        fn what_is_encoded_is_decoded(values in prop::collection::vec(any_json(), 0..4)) {
            let mut out = Vec::new();
            for value in &values {
                encode(&serde_json::to_string_pretty(value).unwrap(), &mut out);
            }
            let mut decoder = Decoder::new(1 << 20);
            let mut piece = out.as_slice();
            let mut read: Vec<Value> = Vec::new();
            while let Some(line) = decoder.next_line(&mut piece) {
                read.push(serde_json::from_str(&line.unwrap()).unwrap());
            }
            prop_assert_eq!(decoder.finish(), None);
            prop_assert_eq!(read, values);
        }
    }
}
