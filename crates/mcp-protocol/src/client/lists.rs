//! Lists that come page by page, and results that are kept as they came.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tower_service::Service;

use super::error::{BadAnswer, ClientError, TransportError};
use super::kept::Keepable;
use super::outgoing::{Outgoing, Params};
use super::patience::{Patience, Pulse, within};
use super::{AnswerBody, Client};
use crate::cache::Pages;
use crate::violation::code;

/// A result, read and as the server wrote it.
#[derive(Clone, Debug)]
pub struct Received<T> {
    /// The result, read.
    pub result: T,
    /// The result as the server wrote it.
    pub raw: Box<RawValue>,
}

impl<T: DeserializeOwned> Received<T> {
    pub(super) fn read(method: &'static str, raw: Box<RawValue>) -> Result<Self, ClientError> {
        let result =
            serde_json::from_str(raw.get()).map_err(|error| BadAnswer::result(method, &error))?;
        Ok(Self { result, raw })
    }
}

/// Every page of a list, kept when it could be read.
pub(super) struct Listed {
    pub(super) pages: Pages,
    pub(super) keepable: Keepable,
}

/// Why there is no whole list.
enum Turned {
    /// The server does not know the cursor that it has just given.
    Cursor(ClientError),
    /// Anything else.
    Failed(ClientError),
}

impl Turned {
    fn into_error(self) -> ClientError {
        match self {
            Self::Cursor(error) | Self::Failed(error) => error,
        }
    }
}

/// How the next page is asked for. It may be an empty string, which is a cursor like any other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Turn {
    #[serde(default)]
    next_cursor: Option<String>,
}

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// The entries of every page, within the limits.
    pub(super) async fn every_page<T: DeserializeOwned>(
        &self,
        method: &'static str,
        member: &str,
    ) -> Result<Vec<T>, ClientError> {
        let listed = self.pages(method).await?;
        let mut entries: Vec<T> = Vec::new();
        for page in listed.pages.iter() {
            let read = entries_of(method, member, page)?;
            if read.len() > self.limits.max_entries.saturating_sub(entries.len()) {
                return Err(BadAnswer::EndlessList(self.limits.max_pages).into());
            }
            entries.extend(read);
        }
        self.keep(listed.keepable, &listed.pages);
        Ok(entries)
    }

    /// Every page, from the cache or from the server.
    pub(super) async fn pages(&self, method: &'static str) -> Result<Listed, ClientError> {
        match self.look(self.key(method)) {
            Ok(pages) => Ok(Listed {
                pages,
                keepable: Keepable::NO,
            }),
            Err(keepable) => self.fetched(method, keepable).await,
        }
    }

    /// Every page from the server, in the time and the bytes that a list has.
    pub(super) async fn fetched(
        &self,
        method: &'static str,
        mut keepable: Keepable,
    ) -> Result<Listed, ClientError> {
        let time = self.limits.max_list_time;
        let patience = Patience {
            quiet: time,
            at_most: time,
        };
        let work = async {
            let pages = match self.turned(method, &mut keepable).await {
                // MCP-CACHE-04: the list has changed under its cursor; what came before is of another list.
                Err(Turned::Cursor(_)) => self
                    .turned(method, &mut keepable)
                    .await
                    .map_err(Turned::into_error)?,
                turned => turned.map_err(Turned::into_error)?,
            };
            Ok(Listed {
                pages: Arc::from(pages),
                keepable,
            })
        };
        within(self.pause.as_ref(), patience, &Pulse::default(), work).await
    }

    // MCP-PAGE-01: only a missing cursor ends the list.
    async fn turned(
        &self,
        method: &'static str,
        keepable: &mut Keepable,
    ) -> Result<Vec<Box<RawValue>>, Turned> {
        let mut pages: Vec<Box<RawValue>> = Vec::new();
        let mut left = self.limits.max_list_bytes;
        let mut cursor: Option<String> = None;
        for _ in 0..self.limits.max_pages {
            let page = Params::page(cursor.as_deref());
            let page = match self.request(&Outgoing::new(method, page)).await {
                Err(error) if cursor.is_some() && is_invalid_params(&error) => {
                    return Err(Turned::Cursor(error));
                }
                page => page.map_err(Turned::Failed)?,
            };
            self.note_page(keepable, &page);
            left = left
                .checked_sub(page.get().len())
                .ok_or(BadAnswer::LargeList(self.limits.max_list_bytes))
                .map_err(|large| Turned::Failed(large.into()))?;
            let turn: Turn = serde_json::from_str(page.get())
                .map_err(|error| Turned::Failed(BadAnswer::result(method, &error).into()))?;
            pages.push(page);
            cursor = turn.next_cursor;
            if cursor.is_none() {
                return Ok(pages);
            }
        }
        let endless = BadAnswer::EndlessList(self.limits.max_pages);
        Err(Turned::Failed(endless.into()))
    }
}

fn is_invalid_params(error: &ClientError) -> bool {
    matches!(error, ClientError::Rpc { error, .. } if error.code == code::INVALID_PARAMS)
}

/// The entries of one page.
fn entries_of<T: DeserializeOwned>(
    method: &'static str,
    member: &str,
    page: &RawValue,
) -> Result<Vec<T>, ClientError> {
    let wrong = |error: serde_json::Error| BadAnswer::result(method, &error);
    let page: BTreeMap<String, Box<RawValue>> = serde_json::from_str(page.get()).map_err(wrong)?;
    let listed = page.get(member).ok_or_else(|| BadAnswer::Result {
        method,
        why: format!("no {member}"),
    })?;
    Ok(serde_json::from_str(listed.get()).map_err(wrong)?)
}
