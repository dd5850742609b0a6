//! What the parties publish about themselves: authorization server, protected resource, client.

pub mod client;
pub mod resource;
pub mod server;

/// The longest metadata document that is read.
pub const MAX_METADATA_BYTES: usize = 64 * 1024;
/// The most entries in one list of a metadata document.
pub const MAX_LIST_ENTRIES: usize = 256;
/// The longest text in a metadata document.
pub const MAX_TEXT_BYTES: usize = 2048;

/// Whether a list has at most [`MAX_LIST_ENTRIES`] entries of at most [`MAX_TEXT_BYTES`].
fn list_is_bounded(list: &[String]) -> bool {
    list.len() <= MAX_LIST_ENTRIES && list.iter().all(|entry| entry.len() <= MAX_TEXT_BYTES)
}
