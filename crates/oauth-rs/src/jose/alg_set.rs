//! Which algorithms somebody's signatures may be made by.

use std::fmt;

use super::alg::Alg;

/// The algorithms that are accepted from one party.
///
/// The default is ES256, `EdDSA`, RS256 and PS256; what else there is has to be named.
/// Nothing here can name `none` or a keyed hash.
///
/// ```
/// use oauth_rs::jose::{Alg, AlgSet};
///
/// assert!(AlgSet::DEFAULT.contains(Alg::Es256));
/// assert!(!AlgSet::DEFAULT.contains(Alg::Rs512));
/// assert!(AlgSet::DEFAULT.with(Alg::Rs512).contains(Alg::Rs512));
/// assert_eq!(AlgSet::from_iter([Alg::EdDsa]).to_string(), "EdDSA");
/// ```
///
/// Specification: RFC 8725 section 3.1; RFC 9068 section 4 (RS256 MUST be supported).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AlgSet {
    bits: u16,
}

impl AlgSet {
    /// No algorithm: every signature is refused.
    pub const NONE: Self = Self { bits: 0 };
    /// ES256, `EdDSA`, RS256 and PS256: 128 bits of security for the curves, 112 for the shortest
    /// RSA key, and one hash function.
    pub const DEFAULT: Self = Self::NONE
        .with(Alg::Es256)
        .with(Alg::EdDsa)
        .with(Alg::Rs256)
        .with(Alg::Ps256);

    /// The same set with one more algorithm.
    #[must_use]
    pub const fn with(self, alg: Alg) -> Self {
        Self {
            bits: self.bits | bit(alg),
        }
    }

    /// Whether the algorithm is in the set.
    pub const fn contains(self, alg: Alg) -> bool {
        self.bits & bit(alg) != 0
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The algorithms, in the order of [`Alg::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Alg> {
        Alg::ALL.into_iter().filter(move |alg| self.contains(*alg))
    }
}

const fn bit(alg: Alg) -> u16 {
    1 << alg as u16
}

impl Default for AlgSet {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl FromIterator<Alg> for AlgSet {
    fn from_iter<I: IntoIterator<Item = Alg>>(algorithms: I) -> Self {
        algorithms.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for AlgSet {
    /// The names with spaces between, as the `algs` parameter of a DPoP challenge has them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, alg) in self.iter().enumerate() {
            let gap = if index == 0 { "" } else { " " };
            write!(f, "{gap}{alg}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for AlgSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_these_four() {
        let expected = [Alg::Es256, Alg::EdDsa, Alg::Rs256, Alg::Ps256];
        assert!(AlgSet::default().iter().eq(expected));
        assert_eq!(AlgSet::default().to_string(), "ES256 EdDSA RS256 PS256");
        assert_eq!(AlgSet::from_iter(expected), AlgSet::DEFAULT);
        assert_eq!(format!("{:?}", AlgSet::from_iter([Alg::Es384])), "{Es384}");
    }

    #[test]
    fn each_algorithm_is_in_by_itself() {
        assert!(AlgSet::NONE.is_empty());
        for alg in Alg::ALL {
            assert!(AlgSet::NONE.with(alg).iter().eq([alg]));
            assert!(!AlgSet::NONE.contains(alg));
        }
        assert!(AlgSet::from_iter(Alg::ALL).iter().eq(Alg::ALL));
    }
}
