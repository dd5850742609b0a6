//! Text that must not be printed, logged, stored or compared by accident.

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A token, a code, a client secret: text whose knowledge is the proof.
///
/// There is no `Display`, no `Serialize` and no `PartialEq`.
/// `Debug` prints the type's name and nothing of the value, and the memory is wiped on drop.
/// Reading is [`Secret::expose`], so that a search for that word lists every use.
///
/// Does not check: anything about the text.
///
/// ```
/// use oauth_rs::secret::Secret;
///
/// let secret = Secret::new("s3cr3t");
/// assert!(secret.ct_eq("s3cr3t"));
/// assert!(!secret.ct_eq("s3cr3T"));
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that has to send or hash it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in time that depends on the lengths only.
    pub fn ct_eq(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_the_whole_text() {
        let secret = Secret::new("abc");
        assert!(secret.ct_eq("abc"));
        for other in ["", "ab", "abcd", "abd", "ABC"] {
            assert!(!secret.ct_eq(other), "{other:?}");
        }
    }

    #[test]
    fn debug_shows_nothing_even_inside_another_value() {
        let shown = format!("{:?}", Some(Secret::new("hunter2")));
        assert_eq!(shown, "Some(Secret(..))");
    }
}
