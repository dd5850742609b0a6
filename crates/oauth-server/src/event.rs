//! What happened, for an audit log and for whoever has to stop accepting tokens.

use oauth_rs::time::UnixSeconds;

/// Something that happened and was committed.
///
/// No event holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A client registered itself.
    ClientRegistered {
        /// Its new identifier.
        client_id: String,
    },
    /// A client ID metadata document could not be had or was refused.
    ClientDocumentRefused {
        /// The address of the document.
        client_id: String,
        /// Why, for the operator.
        reason: String,
    },
    /// A person signed in.
    SignedIn {
        /// Who.
        person: String,
    },
    /// A person allowed a client what it asked for; a code was issued.
    ConsentGiven {
        /// Who allowed it.
        person: String,
        /// To whom.
        client_id: String,
        /// The grant that the code stands for.
        grant_id: String,
    },
    /// A person refused a client what it asked for.
    ConsentRefused {
        /// Who refused.
        person: String,
        /// To whom.
        client_id: String,
    },
    /// A form came without the token of its page, or from another site.
    ForgeryRefused,
    /// A code was exchanged for tokens.
    CodeRedeemed {
        /// By whom.
        client_id: String,
        /// The grant that came into being.
        grant_id: String,
    },
    /// A code was presented again with the right verifier; the grant is ended.
    CodeReplayed {
        /// By whom.
        client_id: String,
        /// The grant of the code.
        grant_id: String,
    },
    /// New tokens were issued for a refresh token.
    Refreshed {
        /// By whom.
        client_id: String,
        /// The grant of the token.
        grant_id: String,
    },
    /// A spent refresh token was presented within its overlap; its successor was given out once more, with a fresh access token.
    RefreshRepeated {
        /// By whom.
        client_id: String,
        /// The grant of the token.
        grant_id: String,
    },
    /// A spent refresh token was presented when its successor was in use or its overlap over; the grant is ended.
    RefreshTokenReused {
        /// By whom.
        client_id: String,
        /// The grant of the token.
        grant_id: String,
    },
    /// A grant ended: none of its tokens may be accepted from now on.
    GrantRevoked {
        /// The grant; access tokens carry it as `grant_id`.
        grant_id: String,
        /// When the last access token of the grant expires by itself.
        access_tokens_until: UnixSeconds,
    },
    /// One access token may not be accepted from now on.
    AccessTokenRevoked {
        /// Its identifier.
        jti: String,
        /// When it expires by itself.
        expires_at: UnixSeconds,
    },
}

/// Where events go, in the order in which they were committed by one request.
///
/// Called after the commit and before the answer; it must not block.
pub trait Events: Send + Sync {
    /// Takes note of an event.
    fn record(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> Events for F {
    fn record(&self, event: &Event) {
        self(event);
    }
}
