//! What a token says, whether it stands in its claims or in the answer of its issuer.

use std::borrow::Cow;

use oauth_rs::introspection::ActiveToken;
use oauth_rs::jose::jwt::{AccessTokenClaims, Actor, Confirmation};
use oauth_rs::time::UnixSeconds;

/// The claims of a token, as the rules look at them; nothing is copied.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said<'a> {
    pub(crate) sub: Option<&'a str>,
    pub(crate) audience: Audience<'a>,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) username: Option<&'a str>,
    pub(crate) organization: Option<&'a str>,
    pub(crate) scope: Option<&'a str>,
    pub(crate) exp: Option<UnixSeconds>,
    pub(crate) iat: Option<UnixSeconds>,
    pub(crate) nbf: Option<UnixSeconds>,
    pub(crate) jti: Option<&'a str>,
    pub(crate) grant_id: Option<&'a str>,
    pub(crate) cnf: Option<&'a Confirmation>,
    pub(crate) actors: &'a [Actor],
    pub(crate) acr: Option<&'a str>,
    pub(crate) auth_time: Option<UnixSeconds>,
}

/// For whom a token is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Audience<'a> {
    Claims(&'a [Cow<'a, str>]),
    Answer(&'a [String]),
}

impl Default for Audience<'_> {
    fn default() -> Self {
        Self::Answer(&[])
    }
}

impl Audience<'_> {
    /// Whether any of them is meant.
    pub(crate) fn any(self, is_meant: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Claims(all) => all.iter().any(|one| is_meant(one)),
            Self::Answer(all) => all.iter().any(|one| is_meant(one)),
        }
    }

    /// All of them with spaces between, for a log.
    pub(crate) fn joined(self) -> String {
        match self {
            Self::Claims(all) => all.join(" "),
            Self::Answer(all) => all.join(" "),
        }
    }
}

impl<'a> From<&'a AccessTokenClaims<'a>> for Said<'a> {
    fn from(claims: &'a AccessTokenClaims<'a>) -> Self {
        Self {
            sub: Some(&claims.sub),
            audience: Audience::Claims(&claims.aud),
            client_id: Some(&claims.client_id),
            username: None,
            organization: claims.organization_id.as_deref(),
            scope: claims.scope.as_deref(),
            exp: Some(claims.exp),
            iat: Some(claims.iat),
            nbf: claims.nbf,
            jti: Some(&claims.jti),
            grant_id: claims.grant_id.as_deref(),
            cnf: claims.cnf.as_ref(),
            actors: &claims.act.0,
            acr: claims.acr.as_deref(),
            auth_time: claims.auth_time,
        }
    }
}

impl<'a> From<&'a ActiveToken> for Said<'a> {
    fn from(token: &'a ActiveToken) -> Self {
        Self {
            sub: token.sub.as_deref(),
            audience: Audience::Answer(&token.aud),
            client_id: token.client_id.as_deref(),
            username: token.username.as_deref(),
            organization: token.organization_id.as_deref(),
            scope: token.scope.as_deref(),
            exp: token.exp,
            iat: token.iat,
            nbf: token.nbf,
            jti: token.jti.as_deref(),
            grant_id: token.grant_id.as_deref(),
            cnf: token.cnf.as_ref(),
            actors: &token.act.0,
            acr: token.acr.as_deref(),
            auth_time: token.auth_time,
        }
    }
}
