//! Lists that come page by page, and results that are kept as they came.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tower_service::Service;

use super::error::{BadAnswer, ClientError, TransportError};
use super::outgoing::{Outgoing, Params};
use super::{AnswerBody, Client};

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

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// The entries of every page, within the limits.
    // MCP, pagination: only a missing cursor ends the list.
    pub(super) async fn every_page<T: DeserializeOwned>(
        &self,
        method: &'static str,
        member: &str,
    ) -> Result<Vec<T>, ClientError> {
        let wrong = |error: serde_json::Error| BadAnswer::result(method, &error);
        let endless = || BadAnswer::EndlessList(self.limits.max_pages);
        let mut entries: Vec<T> = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..self.limits.max_pages {
            let page = Params::page(cursor.as_deref());
            let result = self.request(&Outgoing::new(method, page)).await?;
            let page: BTreeMap<String, Box<RawValue>> =
                serde_json::from_str(result.get()).map_err(wrong)?;
            let listed = page.get(member).ok_or_else(|| BadAnswer::Result {
                method,
                why: format!("no {member}"),
            })?;
            let listed: Vec<T> = serde_json::from_str(listed.get()).map_err(wrong)?;
            if listed.len() > self.limits.max_entries.saturating_sub(entries.len()) {
                return Err(endless().into());
            }
            entries.extend(listed);
            let next = page.get("nextCursor").map(|next| next.get());
            cursor = match next {
                Some(next) => serde_json::from_str(next).map_err(wrong)?,
                None => None,
            };
            if cursor.is_none() {
                return Ok(entries);
            }
        }
        Err(endless().into())
    }
}
