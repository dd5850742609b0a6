//! Long lists as a stream of pages.

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::Sender;
use crate::call::Call;
use crate::credential::Credential;
use crate::error::ApiError;
use crate::page::{Page, Pager};

/// The pages of a list, each asked for when it is wanted.
///
/// ```no_run
/// # use didit_client::send::Pages;
/// # async fn all<S>(mut pages: Pages<'_, S>) -> Result<(), didit_client::ApiError>
/// # where S: tower_service::Service<http::Request<bytes::Bytes>, Response = http::Response<bytes::Bytes>> + Clone {
/// while let Some(page) = pages.next().await {
///     for row in page?.rows {
///         println!("{row}");
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Pages<'a, S> {
    sender: &'a Sender<S>,
    credential: &'a Credential,
    pager: Pager,
    failed: bool,
}

impl<S> Sender<S> {
    /// The pages of a list, from the one that the call itself asks for; bounded as [`Pager`] says.
    pub fn pages<'a>(&'a self, credential: &'a Credential, call: Call) -> Pages<'a, S> {
        Pages {
            sender: self,
            credential,
            pager: Pager::new(call),
            failed: false,
        }
    }
}

impl<S> Pages<'_, S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone,
{
    /// Replaces how many pages are asked for and how many rows are given out.
    #[must_use]
    pub fn at_most(mut self, pages: usize, rows: usize) -> Self {
        self.pager = self.pager.at_most(pages, rows);
        self
    }

    /// The next page; `None` after the last one, and after an error.
    pub async fn next(&mut self) -> Option<Result<Page, ApiError>> {
        let call = self.pager.call().filter(|_| !self.failed)?;
        let page = match self.sender.send(self.credential, call).await {
            Ok(answer) => self.pager.read(answer),
            Err(error) => Err(error),
        };
        self.failed = page.is_err();
        Some(page)
    }
}
