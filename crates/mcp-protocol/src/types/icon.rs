//! Pictures for people, since 2025-11-25.

use serde::{Deserialize, Serialize};

/// A picture of a server, tool, prompt or resource.
///
/// Does not check: the address. A client fetches only `https:` and `data:` addresses, without credentials, from the server's
/// own origin (MCP-ICON-01); this crate fetches none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Icon {
    /// Where it is: an `https:` or `data:` address.
    pub src: String,
    /// Its media type, where the address does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Its sizes, such as `48x48`, or `any`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<String>,
    /// `light` or `dark`: on which background it is to be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
}
