//! What the parties publish about themselves: authorization server, protected resource, client.

pub mod client;
mod document;
mod plain_text;
pub mod resource;
pub mod server;

pub use self::document::InvalidDocument;
pub use self::plain_text::MAX_NAME_CHARS;

/// The longest metadata document that is read; the longest seen in the field are a tenth of it.
pub const MAX_METADATA_BYTES: usize = 64 * 1024;
/// The most entries in one list of a metadata document; a server with many scopes has a hundred.
pub const MAX_LIST_ENTRIES: usize = 256;
/// The longest text in a metadata document, which is also the longest address that is read.
pub const MAX_TEXT_BYTES: usize = 2048;
