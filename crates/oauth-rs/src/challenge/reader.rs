//! Reading a header value byte by byte.

use super::InvalidChallenge;

/// A place in a header value.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl Reader<'_> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn skip(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    /// Takes bytes while they are wanted; they are ASCII or whole characters, so text again.
    fn take(&mut self, wanted: impl Fn(u8) -> bool) -> String {
        let start = self.at;
        self.skip(wanted);
        let taken = self.bytes.get(start..self.at).unwrap_or_default();
        String::from_utf8_lossy(taken).into_owned()
    }

    pub(super) fn token(&mut self) -> Result<String, InvalidChallenge> {
        let start = self.at;
        let token = self.take(is_token);
        if token.is_empty() {
            Err(InvalidChallenge::Name(start))
        } else {
            Ok(token)
        }
    }

    /// An equals sign, with the white space that RFC 9110 section 11.2 tolerates around it.
    pub(super) fn takes_equals(&mut self) -> bool {
        let start = self.at;
        self.skip(is_space);
        if self.peek() == Some(b'=') {
            self.at += 1;
            self.skip(is_space);
            return true;
        }
        self.at = start;
        false
    }

    pub(super) fn value(&mut self) -> Result<String, InvalidChallenge> {
        if self.peek() == Some(b'"') {
            return self.quoted();
        }
        Ok(self.take(|b| b.is_ascii_graphic() && b != b',' && b != b'"'))
    }

    fn quoted(&mut self) -> Result<String, InvalidChallenge> {
        let start = self.at;
        self.at += 1;
        let mut out = Vec::new();
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => {
                    return String::from_utf8(out).map_err(|_| InvalidChallenge::Quoted(start));
                }
                b'\\' => {
                    // RFC 9110 section 5.6.4: a control character cannot be escaped either.
                    let escaped = self
                        .peek()
                        .filter(|byte| !byte.is_ascii_control() || *byte == b'\t')
                        .ok_or(InvalidChallenge::Quoted(start))?;
                    self.at += 1;
                    out.push(escaped);
                }
                byte if byte.is_ascii_control() && byte != b'\t' => {
                    return Err(InvalidChallenge::Quoted(start));
                }
                byte => out.push(byte),
            }
        }
        Err(InvalidChallenge::Quoted(start))
    }

    pub(super) fn expect_comma(&mut self) -> Result<(), InvalidChallenge> {
        self.skip(is_space);
        match self.peek() {
            None | Some(b',') => Ok(()),
            Some(_) => Err(InvalidChallenge::Comma(self.at)),
        }
    }

    /// What follows a scheme, if it is one word up to the next comma rather than a parameter.
    pub(super) fn token68(&mut self) -> Option<String> {
        let start = self.at;
        self.skip(is_space);
        let mut word = self.take(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b));
        word.push_str(&self.take(|b| b == b'='));
        self.skip(is_space);
        if !word.is_empty() && matches!(self.peek(), None | Some(b',')) {
            return Some(word);
        }
        self.at = start;
        None
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

// RFC 9110 section 5.6.2: the characters of a token.
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
