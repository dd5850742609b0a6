//! A token endpoint as a value, and the tokens that it gives.

use crate::client::exchange::ExchangeFailed;
use crate::client::flow::StoredGrant;
use crate::client::token::{self, TokenResponse};
use crate::error_code::ErrorCode;
use crate::secret::Secret;

/// How long a server with an overlap repeats its answer, as `oauth-server` does by default.
pub(super) const OVERLAP: u64 = 10;

/// How a server treats a refresh token that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It repeats the answer for ten seconds; later it ends the grant.
    Overlap,
    /// It ends the grant at once.
    Strict,
    /// It refuses, and the successor stays good.
    Lenient,
    /// The token stays the same.
    Fixed,
}

#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) kind: Kind,
    /// The number of the refresh token that is good.
    pub(super) current: u32,
    pub(super) spent_at: u64,
    pub(super) issued: u32,
    pub(super) rotations: u32,
    pub(super) exchanges: u32,
    pub(super) dead: bool,
    /// What ended it was a request that its sender had given up.
    pub(super) dead_by_stray: bool,
}

impl Server {
    /// Answers a request with this refresh token.
    pub(super) fn exchange(
        &mut self,
        token: u32,
        now: u64,
    ) -> Result<TokenResponse, ExchangeFailed> {
        self.exchanges += 1;
        let refused = || {
            Err(ExchangeFailed::Refused {
                code: Some(ErrorCode::InvalidGrant),
                name: "invalid_grant".to_owned(),
                description: None,
            })
        };
        if self.dead {
            return refused();
        }
        if self.kind != Kind::Fixed {
            let repeats = self.kind == Kind::Overlap && now - self.spent_at < OVERLAP;
            if token == self.current {
                self.current += 1;
                self.rotations += 1;
                self.spent_at = now;
            } else if token + 1 != self.current || !repeats {
                self.dead = self.kind != Kind::Lenient;
                return refused();
            }
        }
        self.issued += 1;
        Ok(issued(self.issued, self.current))
    }
}

impl Server {
    /// One that has given the first tokens.
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            current: 0,
            spent_at: 0,
            issued: 0,
            rotations: 0,
            exchanges: 0,
            dead: false,
            dead_by_stray: false,
        }
    }
}

/// An answer with these tokens.
pub(super) fn issued(access: u32, refresh: u32) -> TokenResponse {
    let body = format!(
        r#"{{"access_token":"T{access}","token_type":"Bearer","refresh_token":"R{refresh}","expires_in":3600}}"#
    );
    token::response(&http::Response::new(body.into_bytes())).unwrap()
}

pub(super) fn number(token: &Secret) -> u32 {
    let text = token.expose();
    text.trim_start_matches(['T', 'R']).parse().unwrap()
}

pub(super) fn refresh(grant: &StoredGrant) -> u32 {
    number(grant.refresh_token.as_ref().unwrap())
}

pub(super) fn tokens(grant: &StoredGrant) -> (u32, u32) {
    (number(&grant.access_token), refresh(grant))
}
