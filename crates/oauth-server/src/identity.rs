//! The seam to whoever knows people: who may sign in, and who this is.

use async_trait::async_trait;

/// A person who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The identifier that becomes `sub` in access tokens; stable, and never given to somebody else.
    pub id: String,
    /// What the person is called on the pages.
    pub name: String,
    /// Further lines that help to tell people apart, such as an email address or a role.
    pub details: Vec<String>,
}

/// Who may sign in.
///
/// Today the only way to sign in is to pick oneself from a list, so every implementation is for development and tests.
#[async_trait]
pub trait Identity: Send + Sync {
    /// The people that the sign-in page offers.
    async fn people(&self) -> Vec<Person>;

    /// One person, `None` if there is nobody of that identifier any more.
    ///
    /// Asked before every consent and every token: whoever is gone allows nothing, and nobody gets tokens to act for them.
    /// Their grants stay as they are; ending them is for whoever removed the person.
    async fn person(&self, id: &str) -> Option<Person>;
}

/// A fixed list of people, of whom anybody may pick one.
///
/// # Security
///
/// Picking a name proves nothing: whoever reaches the sign-in page becomes whom they like.
/// Use it on a machine that nobody else reaches.
#[derive(Clone, Debug)]
pub struct DangerousPicker(Vec<Person>);

impl DangerousPicker {
    /// A picker of these people, shown in this order.
    #[must_use]
    pub fn new(people: impl IntoIterator<Item = Person>) -> Self {
        Self(people.into_iter().collect())
    }
}

#[async_trait]
impl Identity for DangerousPicker {
    async fn people(&self) -> Vec<Person> {
        self.0.clone()
    }

    async fn person(&self, id: &str) -> Option<Person> {
        self.0.iter().find(|person| person.id == id).cloned()
    }
}
