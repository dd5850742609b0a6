//! Which revision is spoken with a server, and what the answer to the first question tells about it.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::Wire;
use super::error::{BadAnswer, ClientError};
use crate::revision::{Era, Feature, Revision};
use crate::types::Json;
use crate::violation::code;

/// What was agreed on with a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Agreed {
    /// The revision.
    pub(super) revision: Revision,
    /// The session, when the revision has sessions and the server keeps one.
    pub(super) session: Option<String>,
}

impl Agreed {
    /// The newest form, in which every request stands alone.
    pub(super) const NEWEST: Self = Self {
        revision: Revision::NEWEST,
        session: None,
    };

    /// Before a handshake: a revision that names itself in no header, and no session.
    pub(super) const NOTHING: Self = Self {
        revision: Revision::V2024_11_05,
        session: None,
    };

    pub(super) fn is_modern(&self) -> bool {
        self.revision.era() == Era::Modern
    }

    /// Whether a request names its revision in a header.
    pub(super) fn sends_revision(&self) -> bool {
        self.revision.has(Feature::VersionHeader)
    }
}

/// How to go on.
#[derive(Debug)]
pub(super) enum Next {
    /// In the newest form.
    Newest,
    /// With a handshake that offers this revision.
    Handshake(Revision),
    /// Not at all.
    Fail(ClientError),
}

impl Next {
    /// The era that it leads to.
    pub(super) fn era(&self) -> Option<Era> {
        match self {
            Self::Newest => Some(Era::Modern),
            Self::Handshake(_) => Some(Era::Legacy),
            Self::Fail(_) => None,
        }
    }
}

/// Decides by the outcome of `server/discover`, which gives the revisions that the server supports.
// MCP 2026-07-28, versioning, backward compatibility: a discover result or a recognised error means the newest era; any
// other answer of a living server means a handshake. The fallback hangs on no single code.
pub(super) fn after_discover(outcome: Result<Vec<String>, ClientError>, wire: Wire) -> Next {
    match outcome {
        Ok(supported) => common(supported, wire),
        Err(ClientError::Rpc { error, .. }) => match error.code {
            code::UNSUPPORTED_VERSION => common(supported_of(error.data.as_ref()), wire),
            code::HEADER_MISMATCH | code::MISSING_CLIENT_CAPABILITY => Next::Newest,
            _ => Next::Handshake(Revision::NEWEST_LEGACY),
        },
        Err(ClientError::Http { status }) if means_another_era(status) => {
            Next::Handshake(Revision::NEWEST_LEGACY)
        }
        // A result without the promised members, or a page of HTML, from something that never heard of the method.
        Err(ClientError::Answer(_)) => Next::Handshake(Revision::NEWEST_LEGACY),
        // MCP-DUAL-02: any other error. Some servers of the older era even exit at a message that they do not know; where
        // the pipe has gone for good, the handshake says so again.
        Err(_) if wire == Wire::Lines => Next::Handshake(Revision::NEWEST_LEGACY),
        Err(error) => Next::Fail(error),
    }
}

/// Whether the refusal of a handshake can come from a server that has none.
// MCP-DUAL-05: a server of the newest era alone answers `initialize` with any error.
pub(super) fn knows_no_handshake(failure: &ClientError) -> bool {
    match failure {
        ClientError::Rpc { .. } => true,
        ClientError::Http { status } => means_another_era(*status),
        _ => false,
    }
}

/// Whether the refusal of a request can mean that the server is of the other era than what was agreed on.
///
/// The refusals that belong to the era itself (a wrong parameter, an unknown method) are not doubtful.
pub(super) fn in_doubt(failure: &ClientError, agreed: &Agreed) -> bool {
    match failure {
        ClientError::Http { status } => means_another_era(*status),
        ClientError::Rpc { error, .. } if agreed.is_modern() => {
            // What servers of the older era say about a missing session or handshake.
            matches!(
                error.code,
                code::INVALID_REQUEST | LEGACY_FIRST..=code::REFUSED
            )
        }
        ClientError::Rpc { error, .. } => matches!(
            error.code,
            code::HEADER_MISMATCH | code::MISSING_CLIENT_CAPABILITY | code::UNSUPPORTED_VERSION
        ),
        _ => false,
    }
}

/// The last of the codes to which the older era gave no meaning; the first is [`code::REFUSED`].
const LEGACY_FIRST: i64 = -32019;

/// The revisions that can be spoken, newest first.
fn spoken(wire: Wire) -> impl Iterator<Item = Revision> {
    Revision::all()
        .rev()
        .filter(move |revision| wire == Wire::Lines || revision.has(Feature::StreamableHttp))
}

/// The newest revision that both sides have.
pub(super) fn common(supported: Vec<String>, wire: Wire) -> Next {
    let newest = spoken(wire).find(|ours| supported.iter().any(|name| name == ours.as_str()));
    match newest {
        Some(revision) if revision.era() == Era::Modern => Next::Newest,
        Some(revision) => Next::Handshake(revision),
        None => Next::Fail(ClientError::NoCommonRevision { offered: supported }),
    }
}

/// The revision that a handshake ended with.
pub(super) fn answered(name: &str, wire: Wire) -> Result<Revision, ClientError> {
    // MCP 2025-11-25, lifecycle, version negotiation: the client disconnects if it cannot use what the server answers.
    spoken(wire)
        .find(|ours| ours.era() == Era::Legacy && ours.as_str() == name)
        .ok_or_else(|| ClientError::NoCommonRevision {
            offered: vec![name.to_owned()],
        })
}

/// Whether a status without a recognised body can come from a server of another era, rather than one in trouble.
fn means_another_era(status: StatusCode) -> bool {
    status.is_client_error()
        && !matches!(
            status,
            StatusCode::REQUEST_TIMEOUT
                | StatusCode::MISDIRECTED_REQUEST
                | StatusCode::TOO_MANY_REQUESTS
        )
}

/// Revisions that are read from an answer; a server has a handful.
const MAX_REVISIONS: usize = 32;

/// The revisions that an error names as supported.
pub(super) fn supported_of(data: Option<&Json>) -> Vec<String> {
    #[derive(Deserialize)]
    struct Supported {
        supported: Vec<Value>,
    }
    data.and_then(|data| data.read::<Supported>().ok())
        .into_iter()
        .flat_map(|data| data.supported)
        .take(MAX_REVISIONS)
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}

/// The revisions that a discover result names as supported.
pub(super) fn supported_revisions(result: &str) -> Result<Vec<String>, ClientError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Discovered {
        supported_versions: Vec<String>,
    }
    let mut discovered: Discovered = serde_json::from_str(result)
        .map_err(|error| BadAnswer::result("server/discover", &error))?;
    discovered.supported_versions.truncate(MAX_REVISIONS);
    Ok(discovered.supported_versions)
}

/// The revision that an `initialize` result names.
pub(super) fn initialized_with(result: &str, wire: Wire) -> Result<Revision, ClientError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Initialized {
        protocol_version: String,
    }
    let initialized: Initialized =
        serde_json::from_str(result).map_err(|error| BadAnswer::result("initialize", &error))?;
    answered(&initialized.protocol_version, wire)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Wire::{Http, Lines};
    use super::*;
    use crate::jsonrpc::RpcError;

    fn rpc(code: i64, data: Option<Value>) -> Result<Vec<String>, ClientError> {
        let error = RpcError {
            code,
            message: "no".to_owned(),
            data: data.map(Json::from),
        };
        Err(ClientError::Rpc {
            status: StatusCode::BAD_REQUEST,
            error,
        })
    }

    fn http(status: u16) -> Result<Vec<String>, ClientError> {
        Err(ClientError::Http {
            status: StatusCode::from_u16(status).unwrap(),
        })
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn the_newest_common_revision_is_chosen() {
        assert!(matches!(
            common(names(&["2025-11-25", "2026-07-28"]), Http),
            Next::Newest
        ));
        assert!(matches!(
            common(names(&["2025-03-26", "2025-06-18", "1999-01-01"]), Http),
            Next::Handshake(Revision::V2025_06_18)
        ));
        for none in [names(&[]), names(&["2024-11-05"]), names(&["2099-01-01"])] {
            let next = common(none.clone(), Http);
            assert!(
                matches!(&next, Next::Fail(ClientError::NoCommonRevision { offered }) if *offered == none),
                "{next:?}"
            );
        }
    }

    #[test]
    fn recognised_errors_stay_in_the_newest_era() {
        let supported = Some(json!({"supported": ["2025-06-18"], "requested": "2026-07-28"}));
        assert!(matches!(
            after_discover(rpc(-32022, supported), Http),
            Next::Handshake(Revision::V2025_06_18)
        ));
        assert!(matches!(
            after_discover(rpc(-32022, None), Http),
            Next::Fail(_)
        ));
        for code in [-32020, -32021] {
            assert!(
                matches!(after_discover(rpc(code, None), Http), Next::Newest),
                "{code}"
            );
        }
    }

    #[test]
    fn any_other_answer_of_a_living_server_means_a_handshake() {
        for code in [-32601, -32600, -32602, -32000, -32002, -32700, 17] {
            assert!(
                matches!(
                    after_discover(rpc(code, None), Http),
                    Next::Handshake(Revision::V2025_11_25)
                ),
                "{code}"
            );
        }
        for status in [400, 404, 405, 406, 415, 422] {
            assert!(
                matches!(
                    after_discover(http(status), Http),
                    Next::Handshake(Revision::V2025_11_25)
                ),
                "{status}"
            );
        }
        assert!(matches!(
            after_discover(Err(BadAnswer::ContentType.into()), Http),
            Next::Handshake(Revision::V2025_11_25)
        ));
    }

    #[test]
    fn trouble_is_not_taken_for_another_era() {
        for status in [301, 408, 421, 429, 500, 502, 503] {
            assert!(
                matches!(after_discover(http(status), Http), Next::Fail(_)),
                "{status}"
            );
        }
        let wanted = ClientError::Unauthorized {
            www_authenticate: Vec::new(),
        };
        assert!(matches!(
            after_discover(Err(wanted), Http),
            Next::Fail(ClientError::Unauthorized { .. })
        ));
    }

    #[test]
    fn a_handshake_may_end_with_an_older_revision_but_not_with_any() {
        assert_eq!(answered("2025-06-18", Http).unwrap(), Revision::V2025_06_18);
        for refused in ["2026-07-28", "2024-11-05", "draft", ""] {
            assert!(
                matches!(
                    answered(refused, Http),
                    Err(ClientError::NoCommonRevision { .. })
                ),
                "{refused}"
            );
        }
    }

    #[test]
    fn over_lines_there_is_the_first_revision_too() {
        let next = common(names(&["2024-11-05"]), Lines);
        assert!(matches!(next, Next::Handshake(Revision::V2024_11_05)));
        let answered = answered("2024-11-05", Lines);
        assert_eq!(answered.unwrap(), Revision::V2024_11_05);
        let next = common(names(&["2024-11-05", "2026-07-28"]), Lines);
        assert!(matches!(next, Next::Newest));
    }

    #[test]
    fn over_lines_any_trouble_at_the_first_question_means_a_handshake() {
        for outcome in [
            rpc(-32603, None),
            rpc(-32601, None),
            rpc(0, None),
            http(500),
            Err(ClientError::Transport("it has exited".into())),
        ] {
            let next = after_discover(outcome, Lines);
            assert!(
                matches!(next, Next::Handshake(Revision::V2025_11_25)),
                "{next:?}"
            );
        }
        for code in [-32020, -32021] {
            assert!(matches!(
                after_discover(rpc(code, None), Lines),
                Next::Newest
            ));
        }
    }
}
