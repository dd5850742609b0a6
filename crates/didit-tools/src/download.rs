//! Where a file of an answer waits for whoever asked for it.

use bytes::Bytes;
use didit_client::FileKind;

/// Keeps files for a short while behind addresses that nobody can guess.
///
/// Without one, a file is enclosed in the answer: see [`crate::DiditTools::with_downloads`].
pub trait Downloads: Send + Sync + 'static {
    /// Keeps a file, and says where it can be fetched until when.
    ///
    /// `person` is the name that [`crate::Credentials::person`] gave for the caller, so that one person cannot take all the room.
    ///
    /// # Errors
    /// [`NoRoom`] if as much is kept as may be.
    fn keep(&self, person: Option<&str>, kind: FileKind, file: Bytes) -> Result<Download, NoRoom>;
}

/// A file that can be fetched.
///
/// The address is a secret: who has it has the file. `Debug` does not show it.
#[derive(Clone)]
pub struct Download {
    /// The whole address, with the secret in it.
    pub url: String,
    /// Until when, in seconds since 1970.
    pub expires_at: u64,
    /// For how many seconds from now.
    pub expires_in: u64,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// As many files are kept as may be, or the file is larger than all of them may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no room for another file")]
pub struct NoRoom {
    /// After how many seconds there may be some.
    pub retry_after: u64,
}
