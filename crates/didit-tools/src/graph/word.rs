//! The closed lists of words in a graph.

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A check that the person goes through.
    Feature,
    /// Something that Didit does by itself.
    Action,
    /// A fork that goes by rules.
    Branch,
    /// An end, with the status that the session gets.
    Status,
    /// A call to the customer's server.
    Webhook,
}

impl Kind {
    pub(crate) const ALL: &'static [(&'static str, Self)] = &[
        ("feature", Self::Feature),
        ("action", Self::Action),
        ("branch", Self::Branch),
        ("status", Self::Status),
        ("webhook", Self::Webhook),
    ];

    /// Reads the word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        find(Self::ALL, word)
    }
}

/// How a rule compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The same value.
    Equals,
    /// Another value.
    NotEquals,
    /// A larger number, or a later date.
    GreaterThan,
    /// That or the same.
    GreaterThanOrEquals,
    /// A smaller number, or an earlier date.
    LessThan,
    /// That or the same.
    LessThanOrEquals,
    /// A part of the text, or a member of the list.
    Contains,
    /// Not so.
    NotContains,
    /// One of the listed values.
    In,
    /// None of them.
    NotIn,
    /// Nothing there.
    IsEmpty,
    /// Something there.
    IsNotEmpty,
    /// A pattern that the text fits.
    Regex,
    /// A text that is like it by a score.
    FuzzyMatch,
}

impl Operator {
    pub(crate) const ALL: &'static [(&'static str, Self)] = &[
        ("equals", Self::Equals),
        ("not_equals", Self::NotEquals),
        ("greater_than", Self::GreaterThan),
        ("greater_than_or_equals", Self::GreaterThanOrEquals),
        ("less_than", Self::LessThan),
        ("less_than_or_equals", Self::LessThanOrEquals),
        ("contains", Self::Contains),
        ("not_contains", Self::NotContains),
        ("in", Self::In),
        ("not_in", Self::NotIn),
        ("is_empty", Self::IsEmpty),
        ("is_not_empty", Self::IsNotEmpty),
        ("regex", Self::Regex),
        ("fuzzy_match", Self::FuzzyMatch),
    ];

    /// Reads the word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        find(Self::ALL, word)
    }

    /// Whether it compares with a value at all.
    pub fn takes_a_value(self) -> bool {
        !matches!(self, Self::IsEmpty | Self::IsNotEmpty)
    }
}

/// The status that a status node gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    /// The person passed.
    Approved,
    /// The person did not.
    Declined,
    /// Somebody has to look at it.
    InReview,
    /// As the checks before it came out.
    Determine,
}

impl SessionStatus {
    pub(crate) const ALL: &'static [(&'static str, Self)] = &[
        ("Approved", Self::Approved),
        ("Declined", Self::Declined),
        ("In Review", Self::InReview),
        ("Determine", Self::Determine),
    ];

    /// Reads the words; `None` for any other.
    pub fn parse(words: &str) -> Option<Self> {
        find(Self::ALL, words)
    }
}

/// How the rules of a branch go together.
pub(crate) const LOGIC: &[&str] = &["and", "or"];

/// What a status rule in the settings of a check may give.
pub(crate) const RULE_STATUS: &[&str] = &["Approved", "Declined", "In Review", "No Action"];

/// The words of one of the lists.
pub(crate) fn words<T>(all: &'static [(&'static str, T)]) -> impl Iterator<Item = &'static str> {
    all.iter().map(|(word, _)| *word)
}

fn find<T: Copy>(all: &[(&str, T)], word: &str) -> Option<T> {
    all.iter()
        .find(|(known, _)| *known == word)
        .map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_exact() {
        assert_eq!(Kind::parse("feature"), Some(Kind::Feature));
        assert_eq!(Kind::parse("Feature"), None);
        assert_eq!(
            SessionStatus::parse("In Review"),
            Some(SessionStatus::InReview)
        );
        assert_eq!(SessionStatus::parse("in review"), None);
        assert_eq!(Operator::ALL.len(), 14);
        for (word, operator) in Operator::ALL {
            assert_eq!(Operator::parse(word), Some(*operator));
        }
        assert_eq!(Operator::parse("matches"), None);
    }
}
