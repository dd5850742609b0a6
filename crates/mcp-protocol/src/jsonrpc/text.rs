//! The text of a message on its way out, with a long part that is shared instead of copied.

use std::io;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

/// The JSON text of one message.
///
/// A list that was written out beforehand ([`crate::types::Items::Rendered`]) is not copied into it:
/// the text is then in three [pieces](Text::pieces), and the one in the middle is the list itself.
///
/// Does not check: that it is JSON.
#[derive(Clone, Debug, Default)]
pub struct Text {
    written: Vec<u8>,
    shared: Option<Shared>,
}

/// What stands in the middle of a text.
#[derive(Clone, Debug)]
struct Shared {
    /// How many of the written bytes come before it.
    at: usize,
    list: Arc<RawValue>,
}

impl Text {
    /// How long it is, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces().map(<[u8]>::len).iter().sum()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What comes before the shared list, the list, and what comes after it; without a list all of it
    /// is in the first.
    #[must_use]
    pub fn pieces(&self) -> [&[u8]; 3] {
        let (list, at) = match &self.shared {
            Some(shared) => (shared.list.get(), shared.at),
            None => ("", self.written.len()),
        };
        let (before, after) = self
            .written
            .split_at_checked(at)
            .unwrap_or((&self.written, &[]));
        [before, list.as_bytes(), after]
    }

    /// The same in one piece, which copies a shared list.
    #[must_use]
    pub fn into_string(self) -> String {
        let whole = match self.shared {
            Some(_) => self.pieces().concat(),
            None => self.written,
        };
        // Only text is ever written here, so nothing is replaced.
        String::from_utf8(whole)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Takes the parts: what is written, and the list with the place in it where it belongs.
    #[cfg(feature = "server")]
    pub(crate) fn into_parts(self) -> (Vec<u8>, Option<(usize, Arc<RawValue>)>) {
        (
            self.written,
            self.shared.map(|shared| (shared.at, shared.list)),
        )
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text {
            written: text.into_bytes(),
            shared: None,
        }
    }
}

/// Writes a text, and leaves out the list that is shared.
pub(crate) struct Writer<'a> {
    text: Text,
    list: Option<&'a Arc<RawValue>>,
}

impl<'a> Writer<'a> {
    /// Nothing yet, with room for so many bytes.
    pub(crate) fn new(room: usize, list: Option<&'a Arc<RawValue>>) -> Self {
        let text = Text {
            written: Vec::with_capacity(room),
            shared: None,
        };
        Writer { text, list }
    }

    /// Writes JSON that is written already.
    pub(crate) fn push(&mut self, json: &str) {
        self.text.written.extend_from_slice(json.as_bytes());
    }

    /// Writes a value as JSON.
    pub(crate) fn value(
        &mut self,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), serde_json::Error> {
        serde_json::to_writer(self, value)
    }

    /// Writes the members of another object into the one that is open and has members, and closes it.
    pub(crate) fn close(&mut self, object: &impl Serialize) -> Result<(), serde_json::Error> {
        let start = self.text.written.len();
        self.object(object)?;
        match self.text.written.get_mut(start..).unwrap_or_default() {
            [b'{', b'}'] => drop(self.text.written.remove(start)),
            [brace, ..] => *brace = b',',
            [] => {}
        }
        Ok(())
    }

    /// Writes a value that has to be an object.
    pub(crate) fn object(&mut self, value: &impl Serialize) -> Result<(), serde_json::Error> {
        let start = self.text.written.len();
        self.value(value)?;
        match self.text.written.get(start) {
            Some(b'{') => Ok(()),
            _ => Err(serde::ser::Error::custom("a result is a JSON object")),
        }
    }

    pub(crate) fn finish(self) -> Text {
        self.text
    }
}

impl io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        // A list that was written beforehand is written out in one call. Should it ever come in
        // several, they are copied like anything else.
        match self.list {
            Some(list) if std::ptr::eq(bytes, list.get().as_bytes()) => {
                self.text.shared = Some(Shared {
                    at: self.text.written.len(),
                    list: Arc::clone(list),
                });
                self.list = None;
            }
            _ => self.text.written.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
