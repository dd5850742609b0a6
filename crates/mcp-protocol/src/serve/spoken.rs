//! Which era a message is of.

use http::HeaderMap;

use crate::http as rules;
use crate::revision::{Era, Feature, Revision};
use crate::stateless::{self, Mirror, Params};
use crate::violation::Violation;

/// Which rules a message is under.
pub(super) enum Spoken {
    Modern,
    Legacy(Revision),
}

impl Spoken {
    /// Tells the era of anything but an `initialize`.
    ///
    /// Requirements section 14.4: modern metadata decides; then the header; neither is 2025-03-26.
    pub(super) fn read(headers: &HeaderMap, params: &Params<'_>) -> Result<Self, Violation> {
        if params.is_modern() {
            return Ok(Spoken::Modern);
        }
        match rules::mirror(headers, &rules::PROTOCOL_VERSION) {
            // MCP-LHTTP-06: absent means 2025-03-26, which had no such header.
            Mirror::Absent => Ok(Spoken::Legacy(Revision::V2025_03_26)),
            Mirror::Unreadable => Err(Violation::Header {
                header: rules::PROTOCOL_VERSION.to_string(),
                problem: "is not readable",
            }),
            Mirror::Text(version) => match Revision::parse(&version) {
                Some(revision) if revision.era() == Era::Modern => Ok(Spoken::Modern),
                Some(revision) if revision.has(Feature::StreamableHttp) => {
                    Ok(Spoken::Legacy(revision))
                }
                // MCP-LHTTP-06: an unsupported version is 400.
                _ => Err(Violation::UnsupportedVersion {
                    requested: stateless::clip(&version),
                }),
            },
        }
    }
}
