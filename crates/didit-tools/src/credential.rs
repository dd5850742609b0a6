//! The seam: which Didit credential stands for the person who calls.

use std::future::Future;

use didit_client::{ErrorCode, Secret};
use http::Extensions;

use crate::outcome::Failure;
use crate::selection::Grants;

/// Supplies the credential for Didit.
///
/// Who is calling is in the extensions of the HTTP request, where the layer that checked the token put it.
/// The tools never see the token that the MCP client sent.
pub trait Credentials: Send + Sync + 'static {
    /// The credential that acts for the caller.
    ///
    /// # Errors
    /// [`NoCredential`] with the reason; the tool then fails and nothing is sent.
    fn credential(
        &self,
        extensions: &Extensions,
    ) -> impl Future<Output = Result<Secret, NoCredential>> + Send;

    /// A name for the caller that stays the same between calls and is nobody else's.
    ///
    /// What a person can reach is kept under it for a minute; with `None` nothing is kept.
    fn person(&self, extensions: &Extensions) -> Option<String>;

    /// The organisation that the caller's token is for, if it is for one: calls that name none are made there.
    fn organization(&self, _extensions: &Extensions) -> Option<String> {
        None
    }

    /// What the caller's token allows: what it does not is neither listed nor called.
    fn grants(&self, _extensions: &Extensions) -> Grants {
        Grants::EVERYTHING
    }

    /// A tool has signed the caller in: from now on this stands for them.
    ///
    /// Only the account tools do that. By default it is dropped, which is right wherever the caller is signed in already.
    fn keep(&self, _extensions: &Extensions, _credential: Secret) {}
}

/// Why there is no credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoCredential {
    /// Nobody is signed in, or this person has no account at Didit.
    #[error("no Didit account is connected for the person who is signed in")]
    Unknown,
    /// The caller's own token is what goes to Didit, and it is not for Didit.
    #[error("the access token is not for the Didit API")]
    OtherAudience,
    /// No tool has signed in yet.
    #[error("no Didit account is signed in")]
    SignedOut,
    /// It may exist but cannot be had now.
    #[error("the credential for Didit cannot be obtained at the moment")]
    Unavailable,
}

impl From<NoCredential> for Failure {
    fn from(why: NoCredential) -> Self {
        match why {
            NoCredential::Unknown => {
                Self::new(ErrorCode::MissingAuth, why.to_string()).hint("Sign in again.")
            }
            NoCredential::OtherAudience => Self::new(ErrorCode::MissingAuth, why.to_string()).hint(
                "Whoever runs this server has to see to it that the issuer names the Didit API among the audiences of its tokens.",
            ),
            NoCredential::SignedOut => Self::new(ErrorCode::MissingAuth, why.to_string()).hint(
                "Set DIDIT_ACCESS_TOKEN, or sign in with didit_account_login; didit_account_register opens an account.",
            ),
            NoCredential::Unavailable => {
                Self::new(ErrorCode::Error, why.to_string()).hint("Call again in a moment.")
            }
        }
    }
}
