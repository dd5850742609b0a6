//! What is stored: one module for each kind of record, its lifetime, and what in it is a hash.

mod client;
mod code;
mod grant;
mod refresh;
mod request;
mod revoked;
mod session;
mod text;

use oauth_rs::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use crate::store::Kind;

pub use self::client::Client;
pub use self::code::Code;
pub use self::grant::Grant;
pub use self::refresh::{RefreshToken, Spent};
pub use self::request::Request;
pub use self::revoked::RevokedToken;
pub use self::session::Session;

/// A stored record of any kind.
///
/// A store need not look inside: [`Record::encode`] and [`Record::decode`] turn one into bytes and back, [`Record::kind`] and [`Record::expires_at`] are what it files and sweeps by.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Record {
    /// A registered client.
    Client(Client),
    /// An authorization request that waits for a person.
    Request(Request),
    /// A browser in which a person is signed in.
    Session(Session),
    /// An authorization code.
    Code(Code),
    /// What a person allowed.
    Grant(Grant),
    /// A refresh token.
    RefreshToken(RefreshToken),
    /// An access token that must no longer be accepted.
    RevokedToken(RevokedToken),
}

impl Record {
    /// Which kind this is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Client(_) => Kind::Client,
            Self::Request(_) => Kind::Request,
            Self::Session(_) => Kind::Session,
            Self::Code(_) => Kind::Code,
            Self::Grant(_) => Kind::Grant,
            Self::RefreshToken(_) => Kind::RefreshToken,
            Self::RevokedToken(_) => Kind::RevokedToken,
        }
    }

    /// From when on the record may be removed; `None` if it stays.
    #[must_use]
    pub const fn expires_at(&self) -> Option<UnixSeconds> {
        match self {
            Self::Client(client) => client.expires_at,
            Self::Request(request) => Some(request.expires_at),
            Self::Session(session) => Some(session.expires_at),
            Self::Code(code) => Some(code.keep_until),
            Self::Grant(grant) => Some(grant.expires_at),
            Self::RefreshToken(token) => Some(token.keep_until),
            Self::RevokedToken(token) => Some(token.expires_at),
        }
    }

    /// The record as JSON.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] if the record cannot be written, which no record of this crate brings about.
    pub fn encode(&self) -> Result<Vec<u8>, InvalidRecord> {
        serde_json::to_vec(self).map_err(InvalidRecord)
    }

    /// The record that [`Record::encode`] wrote.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] if the bytes are not such a record.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidRecord> {
        serde_json::from_slice(bytes).map_err(InvalidRecord)
    }
}

/// Bytes that are not a record.
#[derive(Debug, thiserror::Error)]
#[error("not a stored record")]
pub struct InvalidRecord(#[source] serde_json::Error);

macro_rules! from_kind {
    ($($kind:ident),*) => {$(
        impl From<$kind> for Record {
            fn from(record: $kind) -> Self {
                Self::$kind(record)
            }
        }

        impl $kind {
            /// The record as this kind, or `None` if it is of another kind.
            #[must_use]
            pub fn from_record(record: &Record) -> Option<&Self> {
                match record {
                    Record::$kind(record) => Some(record),
                    _ => None,
                }
            }
        }
    )*};
}

from_kind!(
    Client,
    Request,
    Session,
    Code,
    Grant,
    RefreshToken,
    RevokedToken
);

#[cfg(test)]
mod tests {
    use super::{Client, Code, Record, RefreshToken, Request};

    /// Records as they were written before tokens could be bound to keys.
    const BEFORE: [&str; 4] = [
        r#"{"client":{"client_id":"c","redirect_uris":[],"grant_types":[],"registered_at":1}}"#,
        r#"{"code":{"client_id":"c","redirect_uri":"https://c.example/cb","challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM","scope":"a","resource":"https://api.example/mcp","person":"ada","grant_id":"g","may_refresh":true,"expires_at":2,"keep_until":3}}"#,
        r#"{"refresh_token":{"grant_id":"g","client_id":"c","expires_at":2,"spent":null,"keep_until":3}}"#,
        r#"{"request":{"client_id":"c","redirect_uri":"https://c.example/cb","only_loopback":false,"challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM","scope":"a","resource":"https://api.example/mcp","may_refresh":true,"browser":"b","expires_at":2}}"#,
    ];

    #[test]
    fn a_record_from_before_is_one_of_tokens_that_are_not_bound() {
        for text in BEFORE {
            let bound = match Record::decode(text.as_bytes()).unwrap() {
                Record::Client(Client { dpop_bound, .. }) => (None, dpop_bound),
                Record::Code(Code {
                    jkt, dpop_bound, ..
                })
                | Record::Request(Request {
                    jkt, dpop_bound, ..
                }) => (jkt, dpop_bound),
                Record::RefreshToken(RefreshToken { jkt, .. }) => (jkt, false),
                other => panic!("{other:?}"),
            };
            assert_eq!(bound, (None, false), "{text}");
        }
    }

    #[test]
    fn the_key_that_a_token_is_bound_to_is_kept() {
        let [.., token, _] = BEFORE;
        let Record::RefreshToken(token) = Record::decode(token.as_bytes()).unwrap() else {
            panic!("not a refresh token");
        };
        let bound = RefreshToken {
            jkt: Some("thumbprint".to_owned()),
            ..token
        };
        let bytes = Record::from(bound).encode().unwrap();
        let read = Record::decode(&bytes).unwrap();
        let read = RefreshToken::from_record(&read).unwrap();
        assert_eq!(read.jkt.as_deref(), Some("thumbprint"));
    }
}
