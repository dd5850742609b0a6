//! Revocation (RFC 7009): a refresh token ends its grant, an access token ends itself.

use oauth_rs::jose::jwt::AccessTokenClaims;

use crate::decision::{Decision, Found, Present};
use crate::event::Event;
use crate::grant;
use crate::record::{Grant, RefreshToken, RevokedToken};
use crate::store::{Key, Kind, Write};

/// What a revocation depends on.
pub(crate) enum Records {
    /// The token is a refresh token that is known; its grant, if there still is one.
    Refresh {
        token: Found<RefreshToken>,
        grant: Option<Found<Grant>>,
    },
    /// The token is an access token that has not expired; whether it was revoked before.
    Access {
        claims: AccessTokenClaims<'static>,
        revoked: bool,
    },
    /// The token is nothing that is known.
    Unknown,
}

/// The record of a revoked access token.
pub(crate) fn need(claims: &AccessTokenClaims<'_>) -> Key {
    Key::new(Kind::RevokedToken, claims.jti.to_string())
}

/// Decides on a revocation; there is no way to tell from the answer what became of it.
pub(crate) fn decide(present: &Present<'_>, client_id: &str, records: &Records) -> Decision<()> {
    // RFC 7009 section 2.2: an unknown token is answered with 200, as is one that is revoked already.
    let done = Decision::of(());
    match records {
        // RFC 7009 section 2.1: only for the client to which the token was issued.
        Records::Refresh {
            token,
            grant: Some(grant),
        } if token.record.client_id == client_id => grant::end(done, present, grant),
        Records::Access {
            claims,
            revoked: false,
        } if claims.client_id == client_id => {
            let record = RevokedToken {
                grant_id: claims.grant_id.as_deref().map(str::to_owned),
                expires_at: claims.exp,
            };
            done.with(Write::Insert {
                key: need(claims),
                record: record.into(),
            })
            .telling(Event::AccessTokenRevoked {
                jti: claims.jti.to_string(),
                expires_at: claims.exp,
            })
        }
        Records::Refresh { .. } | Records::Access { .. } | Records::Unknown => done,
    }
}
