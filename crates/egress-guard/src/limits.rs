//! How much one exchange may cost: time, bytes, headers, and how many run at once.

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

/// The caps of one client.
///
/// Every field may be changed; any combination is valid, and zero refuses everything.
/// The defaults suit small documents that a sign-in waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For looking up a name, the wait for a free place among `lookups` included. Default 3 seconds: a resolver that
    /// takes longer is not answering.
    pub resolve: Duration,
    /// For looking up, connecting and the TLS handshake together, the wait for a free place among `connections`
    /// included. Default 5 seconds. Several addresses of one name share it.
    pub connect: Duration,
    /// For everything up to the end of the response's header fields. Default 10 seconds, like `total`; it is for
    /// clients whose bodies may take longer.
    pub headers: Duration,
    /// For the whole exchange, from the call to the last byte of the body. Default 10 seconds:
    /// the upper end of what authorization servers give a client document.
    pub total: Duration,
    /// Bytes of a response body, counted as they arrive; nothing is decompressed.
    /// Default 64 KiB: the largest metadata document that is read.
    pub body_bytes: usize,
    /// Header fields of a response. Default 64; over HTTP/1 never more than 4096.
    pub header_count: usize,
    /// Bytes of the names and values of a response's header fields. Default 16 KiB. Over HTTP/2 a multiple of it ends the
    /// stream as [`EgressError::Broken`](crate::EgressError::Broken), because the library that reads it gives no reason.
    pub header_bytes: usize,
    /// Exchanges at once. Default 64; one more is refused, not queued.
    pub in_flight: usize,
    /// Exchanges at once with one host, whatever the port. Default 16: a host that answers slowly leaves most places to
    /// others. One more is refused, not queued. Names that lead to one address count as several hosts.
    pub in_flight_per_host: usize,
    /// Connections at once, idle ones included. Default 128: twice the exchanges, so that those of the last seconds
    /// stay open for the next. One more waits for a place.
    pub connections: usize,
    /// Name lookups at once, those that nobody waits for any more included. Default 64, as many as exchanges: names whose
    /// servers do not answer are then no cheaper way to fill a client than hosts that do not answer. One more waits
    /// for a place.
    pub lookups: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            resolve: Duration::from_secs(3),
            connect: Duration::from_secs(5),
            headers: Duration::from_secs(10),
            total: Duration::from_secs(10),
            body_bytes: 64 * 1024,
            header_count: 64,
            header_bytes: 16 * 1024,
            in_flight: 64,
            in_flight_per_host: 16,
            connections: 128,
            lookups: 64,
        }
    }
}

/// The end of a time limit that begins now.
pub(crate) fn deadline(limit: Duration) -> Instant {
    let now = Instant::now();
    // A limit past the end of the clock is none.
    now.checked_add(limit).unwrap_or(now + NEVER)
}

/// Thirty years: longer than any exchange, and within what every clock can count.
pub(crate) const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// A number of places as a semaphore takes it.
pub(crate) fn permits(limit: usize) -> usize {
    limit.min(Semaphore::MAX_PERMITS)
}
