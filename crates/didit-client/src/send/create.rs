//! Creating a session without creating two.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use tower_service::Service;

use super::Sender;
use crate::call::Call;
use crate::credential::Credential;
use crate::error::{ApiError, ErrorCode};
use crate::model::SessionStatus;
use crate::page::Page;

/// How many sessions of one `vendor_data` are looked at; with more, it is not told what happened.
const LOOKED_AT: usize = 50;

impl<S> Sender<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone,
{
    /// Creates a session and, when it is not known whether that happened, finds out before trying again.
    ///
    /// `create` is the creation, `list` the list of sessions of the same application, without filters.
    /// Didit has no idempotency key here, so after no answer and after a 5xx the sessions of the same `vendor_data` are listed:
    /// - with an unfinished one the creation is sent once more, because Didit then gives that session again;
    /// - with none at all it is sent once more, because it did not happen;
    /// - with finished ones only, or with more than fit on a page, it cannot be told apart, and nothing is sent.
    ///
    /// Without `vendor_data` the creation is never sent twice.
    /// After a 429 it is sent again by the rules of [`Retries`](crate::Retries), since nothing was done.
    ///
    /// # Errors
    /// [`ApiError`] as for [`Sender::send`]; where the outcome stays open its message says so.
    pub async fn create_session(
        &self,
        credential: &Credential,
        create: &Call,
        list: &Call,
    ) -> Result<Value, ApiError> {
        let open = match self.send(credential, create).await {
            Err(error) if leaves_open(&error) => error,
            definite => return definite,
        };
        let Some(vendor_data) = create.body_value("vendor_data").and_then(Value::as_str) else {
            return Err(open.and("it is not known whether the session was created, and without vendor_data it cannot be looked up"));
        };
        let list = list
            .clone()
            .with_query("vendor_data", vendor_data.to_owned())
            .with_query("limit", LOOKED_AT.to_string());
        let answer = self.send(credential, &list).await;
        match answer.and_then(|answer| look(answer, vendor_data)) {
            Ok(Found::Nothing | Found::Unfinished) => self.send(credential, create).await,
            Ok(Found::CannotTell) | Err(_) => {
                Err(open.and("it is not known whether the session was created: look at the sessions of this vendor_data before creating another"))
            }
        }
    }
}

/// Whether the creation may have happened all the same.
fn leaves_open(error: &ApiError) -> bool {
    match error.status() {
        Some(status) => status >= 500,
        None => error.code() == ErrorCode::NetworkError,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Unfinished,
    CannotTell,
}

/// What the list of the sessions of one `vendor_data` says.
fn look(answer: Value, vendor_data: &str) -> Result<Found, ApiError> {
    let more = answer.get("next").is_some_and(|next| !next.is_null());
    let page = Page::read(answer)?;
    let mut statuses = page
        .rows
        .iter()
        .filter(|row| row.get("vendor_data").and_then(Value::as_str) == Some(vendor_data))
        .map(|row| {
            let status = row.get("status").and_then(Value::as_str);
            status.map(|text| SessionStatus::from(text.to_owned()))
        })
        .peekable();
    if statuses.peek().is_none() && !more && page.rows.len() < LOOKED_AT {
        return Ok(Found::Nothing);
    }
    let unfinished = statuses.any(|status| status.is_some_and(|status| status.is_unfinished()));
    Ok(if unfinished {
        Found::Unfinished
    } else {
        Found::CannotTell
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session(vendor_data: &str, status: &str) -> Value {
        json!({"vendor_data": vendor_data, "status": status})
    }

    #[test]
    fn a_list_says_whether_creating_again_makes_a_second_one() {
        let other = session("customer-421", "In Progress");
        for (answer, found) in [
            (json!({"results": []}), Found::Nothing),
            (json!([]), Found::Nothing),
            (json!([other]), Found::Nothing),
            (
                json!([session("customer-42", "In Progress")]),
                Found::Unfinished,
            ),
            (
                json!([
                    session("customer-42", "Approved"),
                    session("customer-42", "Not Started")
                ]),
                Found::Unfinished,
            ),
            (
                json!([session("customer-42", "Approved")]),
                Found::CannotTell,
            ),
            (
                json!([session("customer-42", "Newly Named")]),
                Found::CannotTell,
            ),
            (json!([{"vendor_data": "customer-42"}]), Found::CannotTell),
            (
                json!({"results": [], "next": "?offset=50"}),
                Found::CannotTell,
            ),
            (json!(vec![other.clone(); LOOKED_AT]), Found::CannotTell),
        ] {
            assert_eq!(
                look(answer.clone(), "customer-42").unwrap(),
                found,
                "{answer}"
            );
        }
        assert!(look(json!({"raw": "<html>"}), "customer-42").is_err());
    }
}
