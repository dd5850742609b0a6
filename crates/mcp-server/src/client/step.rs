//! What to do after a server's refusal, and how often.

use mcp_protocol::client::ClientError;
use oauth_rs::challenge::Challenge;

/// What has been done already for this operation; each is done once at most.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tried {
    pub(super) renewed: bool,
    pub(super) signed_in: bool,
    pub(super) asked_for_more: bool,
}

/// The next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Sign in: there is no grant.
    SignIn,
    /// Renew the access token.
    Renew,
    /// Ask the person for more scopes.
    AskForMore,
    /// Give up: what was just given is refused.
    StillRefused,
    /// Give up with the server's own reason.
    Fail,
}

/// Decides after a refusal, and remembers what is about to be done.
pub(super) fn after(error: &ClientError, has_grant: bool, tried: &mut Tried) -> Step {
    match error {
        ClientError::Unauthorized { .. } if !has_grant && !tried.signed_in => {
            tried.signed_in = true;
            Step::SignIn
        }
        // A token that was given a moment ago is not renewed: the server would refuse the next one too.
        ClientError::Unauthorized { .. }
            if has_grant && !tried.renewed && !tried.signed_in && !tried.asked_for_more =>
        {
            tried.renewed = true;
            Step::Renew
        }
        ClientError::Unauthorized { .. } => Step::StillRefused,
        // MCP 2026-07-28, authorization, step-up: only this error asks for more scopes, and not again and again.
        ClientError::Forbidden { www_authenticate }
            if has_grant && !tried.asked_for_more && lacks_scope(www_authenticate) =>
        {
            tried.asked_for_more = true;
            Step::AskForMore
        }
        _ => Step::Fail,
    }
}

/// Whether one of the challenges is about missing scopes.
// RFC 6750 section 3.1: `insufficient_scope`.
fn lacks_scope(www_authenticate: &[String]) -> bool {
    www_authenticate
        .iter()
        .filter_map(|value| Challenge::parse_all(value).ok())
        .flatten()
        .any(|challenge| {
            challenge.is_scheme("bearer") && challenge.get("error") == Some("insufficient_scope")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unauthorized() -> ClientError {
        ClientError::Unauthorized {
            www_authenticate: vec!["Bearer".to_owned()],
        }
    }

    fn forbidden(challenge: &str) -> ClientError {
        ClientError::Forbidden {
            www_authenticate: vec![challenge.to_owned()],
        }
    }

    #[test]
    fn without_a_grant_one_sign_in() {
        let mut tried = Tried::default();
        assert_eq!(after(&unauthorized(), false, &mut tried), Step::SignIn);
        assert_eq!(after(&unauthorized(), true, &mut tried), Step::StillRefused);
    }

    #[test]
    fn with_a_grant_one_renewal() {
        let mut tried = Tried::default();
        assert_eq!(after(&unauthorized(), true, &mut tried), Step::Renew);
        assert_eq!(after(&unauthorized(), true, &mut tried), Step::StillRefused);
    }

    #[test]
    fn missing_scopes_are_asked_for_once() {
        let mut tried = Tried::default();
        let lacking = forbidden("Bearer error=\"insufficient_scope\", scope=\"a b\"");
        assert_eq!(after(&lacking, false, &mut tried), Step::Fail);
        assert_eq!(after(&lacking, true, &mut tried), Step::AskForMore);
        assert_eq!(after(&lacking, true, &mut tried), Step::Fail);
        assert_eq!(after(&unauthorized(), true, &mut tried), Step::StillRefused);
    }

    #[test]
    fn a_renewal_does_not_use_up_the_question_for_scopes() {
        let mut tried = Tried::default();
        assert_eq!(after(&unauthorized(), true, &mut tried), Step::Renew);
        let lacking = forbidden("Basic realm=\"x\", Bearer error=\"insufficient_scope\"");
        assert_eq!(after(&lacking, true, &mut tried), Step::AskForMore);
    }

    #[test]
    fn any_other_refusal_is_final() {
        for challenge in [
            "Bearer",
            "Bearer error=\"access_denied\"",
            "DPoP error=\"insufficient_scope\"",
            "",
        ] {
            let step = after(&forbidden(challenge), true, &mut Tried::default());
            assert_eq!(step, Step::Fail, "{challenge}");
        }
        assert_eq!(
            after(&ClientError::Arguments, true, &mut Tried::default()),
            Step::Fail
        );
    }
}
