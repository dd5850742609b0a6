//! The dated revisions of the protocol, in order; "since" and "until" are answered here and only here.

use std::fmt;

/// A published revision of the Model Context Protocol.
///
/// The order is the order of publication, so `revision >= Revision::V2025_06_18` reads as "since".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Revision {
    /// 2024-11-05, the first release.
    V2024_11_05,
    /// 2025-03-26: Streamable HTTP, batches.
    V2025_03_26,
    /// 2025-06-18: no batches, structured output, elicitation, the version header.
    V2025_06_18,
    /// 2025-11-25: the last revision that opens with `initialize`.
    V2025_11_25,
    /// 2026-07-28: stateless, metadata in each request.
    V2026_07_28,
}

/// The two ways to hold a dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Era {
    /// Opened once by `initialize`.
    Legacy,
    /// Each request states its version and capabilities.
    Modern,
}

/// Something that only some revisions have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// An array of messages in one body.
    Batches,
    /// The `MCP-Protocol-Version` header.
    VersionHeader,
    /// Streamable HTTP (2024-11-05 had another HTTP transport, which this crate does not speak).
    StreamableHttp,
    /// Sound among the kinds of content.
    Audio,
    /// Addresses of resources among the kinds of content.
    ResourceLinks,
    /// Structured content in the result of a tool, as an object.
    StructuredContent,
    /// Structured content that is any value.
    StructuredValues,
    /// Tools in a sampling request.
    SamplingTools,
    /// Elicitation in form mode.
    Elicitation,
    /// Elicitation in URL mode.
    UrlElicitation,
    /// Streams that start with an id and no data, and that the server may close and go on with later.
    StreamPriming,
    /// The dedicated code -32002 for an unknown resource.
    ResourceNotFoundCode,
}

/// What carries the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// Streamable HTTP.
    StreamableHttp,
    /// One message per line over a pair of byte streams.
    Stdio,
}

/// One row of the table of revisions.
struct Row {
    revision: Revision,
    name: &'static str,
    era: Era,
}

const REVISIONS: [Row; 5] = [
    Row {
        revision: Revision::V2024_11_05,
        name: "2024-11-05",
        era: Era::Legacy,
    },
    Row {
        revision: Revision::V2025_03_26,
        name: "2025-03-26",
        era: Era::Legacy,
    },
    Row {
        revision: Revision::V2025_06_18,
        name: "2025-06-18",
        era: Era::Legacy,
    },
    Row {
        revision: Revision::V2025_11_25,
        name: "2025-11-25",
        era: Era::Legacy,
    },
    Row {
        revision: Revision::V2026_07_28,
        name: "2026-07-28",
        era: Era::Modern,
    },
];

/// First and last revision that has the feature; no last means "still there".
const FEATURES: [(Feature, Revision, Option<Revision>); 12] = [
    (
        Feature::Batches,
        Revision::V2025_03_26,
        Some(Revision::V2025_03_26),
    ),
    (Feature::VersionHeader, Revision::V2025_06_18, None),
    (Feature::StreamableHttp, Revision::V2025_03_26, None),
    (Feature::Audio, Revision::V2025_03_26, None),
    (Feature::ResourceLinks, Revision::V2025_06_18, None),
    (Feature::StructuredContent, Revision::V2025_06_18, None),
    (Feature::StructuredValues, Revision::V2026_07_28, None),
    (Feature::SamplingTools, Revision::V2025_11_25, None),
    (Feature::Elicitation, Revision::V2025_06_18, None),
    (Feature::UrlElicitation, Revision::V2025_11_25, None),
    (
        Feature::StreamPriming,
        Revision::V2025_11_25,
        Some(Revision::V2025_11_25),
    ),
    (
        Feature::ResourceNotFoundCode,
        Revision::V2024_11_05,
        Some(Revision::V2025_11_25),
    ),
];

/// Requests that a client may send: name, first and last revision.
const REQUESTS: [(&str, Revision, Option<Revision>); 15] = [
    (
        "initialize",
        Revision::V2024_11_05,
        Some(Revision::V2025_11_25),
    ),
    ("ping", Revision::V2024_11_05, Some(Revision::V2025_11_25)),
    (
        "logging/setLevel",
        Revision::V2024_11_05,
        Some(Revision::V2025_11_25),
    ),
    (
        "resources/subscribe",
        Revision::V2024_11_05,
        Some(Revision::V2025_11_25),
    ),
    (
        "resources/unsubscribe",
        Revision::V2024_11_05,
        Some(Revision::V2025_11_25),
    ),
    ("server/discover", Revision::V2026_07_28, None),
    ("subscriptions/listen", Revision::V2026_07_28, None),
    ("tools/list", Revision::V2024_11_05, None),
    ("tools/call", Revision::V2024_11_05, None),
    ("prompts/list", Revision::V2024_11_05, None),
    ("prompts/get", Revision::V2024_11_05, None),
    ("resources/list", Revision::V2024_11_05, None),
    ("resources/read", Revision::V2024_11_05, None),
    ("resources/templates/list", Revision::V2024_11_05, None),
    ("completion/complete", Revision::V2024_11_05, None),
];

impl Revision {
    /// The newest revision of this crate.
    pub const NEWEST: Revision = Revision::V2026_07_28;

    /// The newest revision that opens with `initialize`.
    pub const NEWEST_LEGACY: Revision = Revision::V2025_11_25;

    /// Every revision, oldest first.
    pub fn all() -> impl DoubleEndedIterator<Item = Revision> {
        REVISIONS.iter().map(|row| row.revision)
    }

    /// Every revision that can be spoken over Streamable HTTP, newest first.
    pub fn over_http() -> impl Iterator<Item = Revision> {
        Self::over(Transport::StreamableHttp)
    }

    /// Every revision that can be spoken over a transport, newest first.
    pub fn over(transport: Transport) -> impl Iterator<Item = Revision> {
        Self::all()
            .rev()
            .filter(move |revision| revision.is_spoken_over(transport))
    }

    /// Whether a transport carries this revision: standard input and output carry each of them.
    #[must_use]
    pub fn is_spoken_over(self, transport: Transport) -> bool {
        match transport {
            Transport::StreamableHttp => self.has(Feature::StreamableHttp),
            Transport::Stdio => true,
        }
    }

    /// The revision with this name on the wire, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Revision> {
        REVISIONS
            .iter()
            .find(|row| row.name == name)
            .map(|row| row.revision)
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        REVISIONS
            .iter()
            .find(|row| row.revision == self)
            .map_or("", |row| row.name)
    }

    /// How a dialogue is held in this revision.
    #[must_use]
    pub fn era(self) -> Era {
        REVISIONS
            .iter()
            .find(|row| row.revision == self)
            .map_or(Era::Modern, |row| row.era)
    }

    /// Whether this revision has the feature.
    #[must_use]
    pub fn has(self, feature: Feature) -> bool {
        FEATURES.iter().any(|(row, since, until)| {
            *row == feature && self >= *since && until.is_none_or(|until| self <= until)
        })
    }

    /// Whether a client may send this request in this revision.
    ///
    /// Requests of extensions are in another table: [`crate::extension`].
    #[must_use]
    pub fn has_request(self, method: &str) -> bool {
        REQUESTS.iter().any(|(row, since, until)| {
            *row == method && self >= *since && until.is_none_or(|until| self <= until)
        })
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_are_ordered() {
        let names: Vec<&str> = Revision::all().map(Revision::as_str).collect();
        assert_eq!(
            names,
            [
                "2024-11-05",
                "2025-03-26",
                "2025-06-18",
                "2025-11-25",
                "2026-07-28"
            ]
        );
        for revision in Revision::all() {
            assert_eq!(Revision::parse(revision.as_str()), Some(revision));
        }
        assert_eq!(Revision::parse("2025-03-27"), None);
        assert!(
            Revision::all()
                .zip(Revision::all().skip(1))
                .all(|(a, b)| a < b)
        );
    }

    #[test]
    fn batches_are_in_one_revision_only() {
        let with: Vec<Revision> = Revision::all()
            .filter(|r| r.has(Feature::Batches))
            .collect();
        assert_eq!(with, [Revision::V2025_03_26]);
    }

    #[test]
    fn each_feature_and_request_is_in_the_table_for_some_revision() {
        assert!(!Revision::V2024_11_05.has(Feature::StreamableHttp));
        assert!(Revision::V2025_11_25.has(Feature::ResourceNotFoundCode));
        assert!(!Revision::V2026_07_28.has(Feature::ResourceNotFoundCode));
        assert!(Revision::V2026_07_28.has(Feature::UrlElicitation));
        assert!(!Revision::V2025_06_18.has(Feature::UrlElicitation));
        assert!(Revision::V2025_06_18.has(Feature::Elicitation));
        assert!(!Revision::V2025_06_18.has(Feature::StreamPriming));
        assert!(Revision::V2025_11_25.has(Feature::StreamPriming));
        assert!(!Revision::V2026_07_28.has(Feature::StreamPriming));
        assert!(!Revision::V2025_03_26.has(Feature::VersionHeader));
        for gone in [
            "initialize",
            "ping",
            "logging/setLevel",
            "resources/subscribe",
            "resources/unsubscribe",
        ] {
            assert!(Revision::V2025_11_25.has_request(gone));
            assert!(!Revision::V2026_07_28.has_request(gone));
        }
        for new in ["server/discover", "subscriptions/listen"] {
            assert!(!Revision::V2025_11_25.has_request(new));
            assert!(Revision::V2026_07_28.has_request(new));
        }
    }

    #[test]
    fn over_http_starts_with_the_newest_and_leaves_out_the_first() {
        let names: Vec<&str> = Revision::over_http().map(Revision::as_str).collect();
        assert_eq!(
            names,
            ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]
        );
    }

    #[test]
    fn over_stdio_is_every_revision() {
        let names: Vec<&str> = Revision::over(Transport::Stdio)
            .map(Revision::as_str)
            .collect();
        assert_eq!(
            names,
            [
                "2026-07-28",
                "2025-11-25",
                "2025-06-18",
                "2025-03-26",
                "2024-11-05"
            ]
        );
    }
}
