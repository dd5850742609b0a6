//! Which version a session speaks.

use crate::revision::{Era, Revision, Transport};

/// The version that `initialize` is answered with.
///
/// What the client asked for if it can be spoken over this transport, else the newest that opens
/// with `initialize`. So 2024-11-05, whose HTTP transport was another, is answered with a newer one
/// over HTTP; the client disconnects if it cannot follow.
///
/// Specification: MCP-LIFE-02.
#[must_use]
pub fn negotiate(requested: &str, transport: Transport) -> Revision {
    Revision::parse(requested)
        .filter(|revision| revision.era() == Era::Legacy && revision.is_spoken_over(transport))
        .unwrap_or(Revision::NEWEST_LEGACY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spoken_is_echoed_and_the_rest_is_answered_with_the_newest() {
        let [http, stdio] = [Transport::StreamableHttp, Transport::Stdio];
        for (requested, answered) in [
            ("2025-03-26", Revision::V2025_03_26),
            ("2025-06-18", Revision::V2025_06_18),
            ("2025-11-25", Revision::V2025_11_25),
            ("2026-07-28", Revision::V2025_11_25),
            ("1.0", Revision::V2025_11_25),
            ("", Revision::V2025_11_25),
        ] {
            assert_eq!(negotiate(requested, http), answered, "{requested}");
            assert_eq!(negotiate(requested, stdio), answered, "{requested}");
        }
        assert_eq!(negotiate("2024-11-05", http), Revision::V2025_11_25);
        assert_eq!(negotiate("2024-11-05", stdio), Revision::V2024_11_05);
    }
}
