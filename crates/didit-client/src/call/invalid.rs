//! Why a call did not become a request.

use crate::credential::CredentialKind;
use crate::operation::Extra;

/// Why a call did not become a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCall {
    /// The path has no such name in braces.
    #[error("the path has no part {name}")]
    UnknownPart {
        /// The name given.
        name: &'static str,
    },
    /// A name in braces was not filled.
    #[error("the path part {name} is missing")]
    MissingPart {
        /// The name in braces.
        name: &'static str,
    },
    /// The row has no such query parameter.
    #[error("the operation has no query parameter {name}")]
    UnknownQuery {
        /// The name given.
        name: String,
    },
    /// The row has no such body field.
    #[error("the operation has no body field {name}")]
    UnknownField {
        /// The name given.
        name: String,
    },
    /// The row does not take this header.
    #[error("the operation does not take the header {}", header.name())]
    UnknownHeader {
        /// The header given.
        header: Extra,
    },
    /// The row takes the other kind of credential.
    #[error("the operation takes {takes}")]
    OtherCredential {
        /// What the row takes.
        takes: CredentialKind,
    },
    /// More than [`MAX_QUERY`](super::MAX_QUERY) bytes.
    #[error("the query is longer than 16 KiB")]
    QueryTooLong,
    /// More than [`MAX_REQUEST_BODY`](super::MAX_REQUEST_BODY) bytes.
    #[error("the body is larger than 4 MiB")]
    BodyTooLarge,
    /// More than [`MAX_FORM_BODY`](crate::MAX_FORM_BODY) bytes, or more than [`MAX_FORM_PARTS`](crate::MAX_FORM_PARTS) fields.
    #[error("the form is larger than 46 MiB or has more than 64 fields")]
    FormTooLarge,
    /// The application's id may not stand in a header.
    #[error("the application id may not stand in a header")]
    Application,
    /// The organisation's id may not stand in a header.
    #[error("the organisation id may not stand in a header")]
    Organization,
    /// The credential may not stand in a header.
    #[error("the credential may not stand in a header")]
    Credential,
    /// Base and path together are no address.
    #[error("the address is too long or not valid")]
    Address,
}
