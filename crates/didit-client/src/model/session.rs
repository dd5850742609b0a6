//! Verification sessions.

use super::read::words;

words! {
    /// Where a session is.
    pub enum SessionStatus {
        /// Nobody has opened it.
        NotStarted = "Not Started",
        /// Somebody is at it.
        InProgress = "In Progress",
        /// It waits for somebody to decide.
        InReview = "In Review",
        /// The person was verified.
        Approved = "Approved",
        /// The person was not.
        Declined = "Declined",
        /// Nobody finished it in time.
        Expired = "Expired",
        /// It was begun and not finished.
        Abandoned = "Abandoned",
        /// The verification is too long ago.
        KycExpired = "Kyc Expired",
        /// Parts of it are to be done again.
        Resubmitted = "Resubmitted",
        /// It waits for the person.
        AwaitingUser = "Awaiting User",
    }
}

impl SessionStatus {
    /// Whether creating a session for the same person gives this one again.
    ///
    /// A status that this version does not know is not said to be unfinished.
    pub fn is_unfinished(&self) -> bool {
        matches!(
            self,
            Self::NotStarted | Self::InProgress | Self::Resubmitted | Self::AwaitingUser
        )
    }
}
