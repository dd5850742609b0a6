//! How much one exchange may cost: time, bytes, headers, and how many run at once.

use std::time::Duration;

/// The caps of one client.
///
/// Every field may be changed; any combination is valid, and zero refuses everything.
/// The defaults suit small documents that a sign-in waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For looking up a name. Default 3 seconds: a resolver that takes longer is not answering.
    pub resolve: Duration,
    /// For looking up, connecting and the TLS handshake together. Default 5 seconds.
    pub connect: Duration,
    /// For the whole exchange, from the call to the last byte of the body. Default 10 seconds:
    /// the upper end of what authorization servers give a client document.
    pub total: Duration,
    /// Bytes of a response body, counted as they arrive; nothing is decompressed.
    /// Default 64 KiB: the largest metadata document that is read.
    pub body_bytes: usize,
    /// Header fields of a response. Default 64.
    pub header_count: usize,
    /// Bytes of the names and values of a response's header fields. Default 16 KiB.
    pub header_bytes: usize,
    /// Exchanges at once. Default 64; one more is refused, not queued.
    pub in_flight: usize,
    /// Name lookups at once, those that nobody waits for any more included. Default 16.
    pub lookups: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            resolve: Duration::from_secs(3),
            connect: Duration::from_secs(5),
            total: Duration::from_secs(10),
            body_bytes: 64 * 1024,
            header_count: 64,
            header_bytes: 16 * 1024,
            in_flight: 64,
            lookups: 16,
        }
    }
}
