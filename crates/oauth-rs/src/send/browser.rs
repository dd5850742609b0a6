//! The one step that a person takes, as the program offers it.

use std::fmt;
use std::pin::Pin;

use crate::secret::Secret;
use crate::uri::RedirectUri;

/// Why the program could not do its part.
pub type ProgramError = Box<dyn std::error::Error + Send + Sync>;

/// Something of the program that is on its way.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProgramError>> + Send + 'a>>;

/// Takes a person to the authorization server and hears what the browser brings back.
pub trait Browser: Send + Sync {
    /// Makes ready to hear the answer, which for most programs is to listen on a loopback port.
    fn prepare(&self) -> Pending<'_, Box<dyn Visit>>;
}

/// One visit of the person to the authorization server.
pub trait Visit: Send {
    /// Where the browser shall come back to.
    fn redirect_uri(&self) -> &RedirectUri;

    /// Shows this address to the person and waits; the answer is the query with which the browser came back.
    ///
    /// A listener ignores every request without this `state`.
    /// When the answer turns out to be somebody else's, this is called again.
    /// It is dropped when it takes longer than [`Waits::browser`](super::Waits::browser).
    fn visit<'a>(&'a mut self, url: &'a str, state: &'a Secret) -> Pending<'a, Secret>;
}

/// A visit made of a redirect address and a function, for programs whose listener is already there.
pub struct VisitWith<F> {
    redirect_uri: RedirectUri,
    visit: F,
}

impl<F> VisitWith<F>
where
    F: FnMut(String, Secret) -> Pending<'static, Secret> + Send,
{
    /// Takes the address and the function over.
    pub fn new(redirect_uri: RedirectUri, visit: F) -> Self {
        Self {
            redirect_uri,
            visit,
        }
    }
}

impl<F> Visit for VisitWith<F>
where
    F: FnMut(String, Secret) -> Pending<'static, Secret> + Send,
{
    fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    fn visit<'a>(&'a mut self, url: &'a str, state: &'a Secret) -> Pending<'a, Secret> {
        (self.visit)(url.to_owned(), state.clone())
    }
}

impl<F> fmt::Debug for VisitWith<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VisitWith")
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

impl<F> Browser for F
where
    F: Fn() -> Pending<'static, Box<dyn Visit>> + Send + Sync,
{
    fn prepare(&self) -> Pending<'_, Box<dyn Visit>> {
        self()
    }
}
