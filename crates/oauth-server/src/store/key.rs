//! Names of records: what kind, and which one.

/// What sort of record a key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A registered client.
    Client,
    /// An authorization request that waits for a person.
    Request,
    /// A browser in which a person is signed in.
    Session,
    /// An authorization code, unused or used.
    Code,
    /// What a person allowed a client to do.
    Grant,
    /// A refresh token, current or spent.
    RefreshToken,
    /// An access token that must no longer be accepted.
    RevokedToken,
}

impl Kind {
    /// Every kind, in a fixed order.
    pub const ALL: [Self; 7] = [
        Self::Client,
        Self::Request,
        Self::Session,
        Self::Code,
        Self::Grant,
        Self::RefreshToken,
        Self::RevokedToken,
    ];

    /// The name under which a store files this kind; it never changes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Request => "request",
            Self::Session => "session",
            Self::Code => "code",
            Self::Grant => "grant",
            Self::RefreshToken => "refresh_token",
            Self::RevokedToken => "revoked_token",
        }
    }

    /// The kind filed under a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// The name of one record: its kind and its identifier.
///
/// An identifier is either public (a client, a grant) or a keyed hash of something secret (a code, a token, a cookie), never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    kind: Kind,
    id: String,
}

impl Key {
    /// The record of `kind` called `id`.
    #[must_use]
    pub fn new(kind: Kind, id: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
        }
    }

    /// What sort of record this is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Which one.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn every_kind_is_found_again_by_its_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::parse("tokens"), None);
    }
}
