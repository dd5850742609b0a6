//! Scopes: tokens, in order, each once.

use std::fmt;

use thiserror::Error;

/// The longest scope text that is read.
pub const MAX_SCOPE_BYTES: usize = 4096;
/// The most tokens in one set.
pub const MAX_SCOPE_TOKENS: usize = 128;

/// Why a text is not a scope.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidScope {
    /// A token is empty: two spaces in a row, or one at an end.
    #[error("empty scope token")]
    Empty,
    /// A character outside of the set that scope tokens may use.
    #[error("character {0:?} is not allowed in a scope")]
    Character(char),
    /// More text or more tokens than are read.
    #[error("scope is too long")]
    TooLong,
}

/// A set of scope tokens that remembers the order in which they came.
///
/// Equality is by order too, since it is equality of what would be sent; use
/// [`ScopeSet::is_subset_of`] to compare meaning.
///
/// ```
/// use oauth_rs::scope::ScopeSet;
///
/// let asked = ScopeSet::parse("read write read")?;
/// assert_eq!(asked.to_string(), "read write");
/// assert!(ScopeSet::parse("read  write").is_err());
/// # Ok::<(), oauth_rs::scope::InvalidScope>(())
/// ```
///
/// Specification: RFC 6749 section 3.3.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet {
    /// The members with one space between them, as they are sent.
    text: String,
}

impl ScopeSet {
    /// Reads tokens separated by one space each; the empty text is the empty set.
    ///
    /// # Errors
    /// A token is empty or holds a character that is not allowed, or there is too much of it.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        if text.len() > MAX_SCOPE_BYTES {
            return Err(InvalidScope::TooLong);
        }
        if text.is_empty() {
            return Ok(Self::empty());
        }
        Self::collect(text.split(' '), text.len())
    }

    /// The set without tokens.
    pub const fn empty() -> Self {
        Self {
            text: String::new(),
        }
    }

    /// Collects tokens, dropping repetitions.
    ///
    /// # Errors
    /// A token is empty or holds a character that is not allowed, or there are too many.
    pub fn from_tokens<I>(tokens: I) -> Result<Self, InvalidScope>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        Self::collect(tokens, 0)
    }

    /// The same with room for so many bytes.
    fn collect<I>(tokens: I, bytes: usize) -> Result<Self, InvalidScope>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let mut set = Self {
            text: String::with_capacity(bytes),
        };
        let mut count = 0;
        for token in tokens {
            let token = token.as_ref();
            check_token(token)?;
            if !set.contains(token) {
                // The text of a set can be read again, so both limits hold for it as well.
                count += 1;
                set.push(token);
                if count > MAX_SCOPE_TOKENS || set.text.len() > MAX_SCOPE_BYTES {
                    return Err(InvalidScope::TooLong);
                }
            }
        }
        Ok(set)
    }

    /// Appends a token that is not a member.
    fn push(&mut self, token: &str) {
        if !self.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(token);
    }

    /// Whether the token is a member, compared exactly.
    pub fn contains(&self, token: &str) -> bool {
        self.iter().any(|own| own == token)
    }

    /// Whether every member is also one of `other`.
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.iter().all(|token| other.contains(token))
    }

    /// The members of both, this set's first.
    ///
    /// Does not check: that the result is within the limits; collect both by
    /// [`ScopeSet::from_tokens`] where it has to be.
    pub fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for token in other.iter().filter(|token| !self.contains(token)) {
            all.push(token);
        }
        all
    }

    /// The members that are in both, in this set's order.
    pub fn intersection(&self, other: &Self) -> Self {
        let mut both = Self::empty();
        for token in self.iter().filter(|token| other.contains(token)) {
            both.push(token);
        }
        both
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        // The empty text has an empty part, which is no member.
        self.text.split(' ').filter(|token| !token.is_empty())
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

// RFC 6749 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
fn check_token(token: &str) -> Result<(), InvalidScope> {
    if token.is_empty() {
        return Err(InvalidScope::Empty);
    }
    if token.len() > MAX_SCOPE_BYTES {
        return Err(InvalidScope::TooLong);
    }
    let is_allowed = |b: u8| matches!(b, b'\x21' | b'\x23'..=b'\x5b' | b'\x5d'..=b'\x7e');
    if token.bytes().all(is_allowed) {
        return Ok(());
    }
    let other = token
        .chars()
        .find(|c| !u8::try_from(*c).is_ok_and(is_allowed));
    Err(other.map_or(InvalidScope::Empty, InvalidScope::Character))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(text: &str) -> ScopeSet {
        ScopeSet::parse(text).unwrap()
    }

    #[test]
    fn keeps_order_and_drops_repetitions() {
        assert_eq!(set("b a b").to_string(), "b a");
        assert_eq!(set("").to_string(), "");
        assert!(set("").is_empty());
        assert_eq!(set("b a").len(), 2);
    }

    #[test]
    fn refuses_bad_tokens() {
        let cases = [
            (" a", InvalidScope::Empty),
            ("a ", InvalidScope::Empty),
            ("a  b", InvalidScope::Empty),
            ("a\tb", InvalidScope::Character('\t')),
            ("a\"b", InvalidScope::Character('"')),
            ("a\\b", InvalidScope::Character('\\')),
            ("caf\u{e9}", InvalidScope::Character('\u{e9}')),
        ];
        for (text, reason) in cases {
            assert_eq!(ScopeSet::parse(text), Err(reason), "{text:?}");
        }
        assert_eq!(
            ScopeSet::parse(&"a".repeat(4097)),
            Err(InvalidScope::TooLong)
        );
        let many: Vec<String> = (0..129).map(|n| format!("s{n}")).collect();
        assert_eq!(ScopeSet::from_tokens(&many), Err(InvalidScope::TooLong));
        // What a set prints can be read: 64 tokens of 63 characters and as many spaces but one.
        let fitting: Vec<String> = (0..64).map(|n| format!("{n:063}")).collect();
        let set = ScopeSet::from_tokens(&fitting).unwrap();
        assert_eq!(set.to_string().len(), MAX_SCOPE_BYTES - 1);
        assert_eq!(ScopeSet::parse(&set.to_string()), Ok(set));
        let more = fitting.iter().map(String::as_str).chain(["x"]);
        assert_eq!(ScopeSet::from_tokens(more), Err(InvalidScope::TooLong));
    }

    #[test]
    fn set_operations() {
        let (a, b) = (set("r w"), set("w x"));
        assert_eq!(a.union(&b).to_string(), "r w x");
        assert_eq!(a.intersection(&b).to_string(), "w");
        assert!(set("w").is_subset_of(&a));
        assert!(!b.is_subset_of(&a));
        assert!(ScopeSet::empty().is_subset_of(&a));
    }

    proptest! {
        #[test]
        fn parse_after_print(tokens in proptest::collection::vec("[!#-\\[\\]-~]{1,12}", 0..20)) {
            let set = ScopeSet::from_tokens(&tokens).unwrap();
            prop_assert_eq!(ScopeSet::parse(&set.to_string()).unwrap(), set);
        }

        #[test]
        fn never_panics(text in ".{0,200}") {
            let parsed = ScopeSet::parse(&text);
            if let Ok(set) = parsed {
                prop_assert!(set.iter().all(|t| !t.is_empty()));
            }
        }
    }
}
