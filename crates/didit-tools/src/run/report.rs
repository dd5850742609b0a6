//! `didit_session_generate_pdf`: the report of a session, behind a link or enclosed in the answer.

use bytes::Bytes;
use didit_client::{ErrorCode, FileKind, PathPart};
use serde_json::json;

use crate::acting::{Acting, Transport};
use crate::date;
use crate::download::{Downloads, NoRoom};
use crate::outcome::{Enclosed, Failure, Given};
use crate::schema::Checked;

/// The largest file that is enclosed, in bytes: as base64 it is 5.4 MiB in one message, which clients still read whole.
pub(crate) const MAX_ENCLOSED: usize = 4 * 1024 * 1024;

impl<S: Transport> Acting<'_, S> {
    /// Fetches the report once; the link is to what was fetched, and has nothing of the credential in it.
    pub(crate) async fn report(
        &self,
        checked: &Checked,
        downloads: Option<&dyn Downloads>,
    ) -> Result<Given, Failure> {
        let operation = self.operation()?;
        let place = self.place(operation, checked).await?;
        let call = self.call(operation, checked, &place)?;
        let (kind, file) = match self.send_for_file(call).await {
            Ok(answer) => answer,
            Err(error) => {
                return Err(self.explained(error, place.organization.as_ref()).await);
            }
        };
        if kind != FileKind::Pdf {
            return Err(Failure::new(
                ErrorCode::Error,
                "the answer of the Didit API is not a PDF",
            ));
        }
        match downloads {
            Some(downloads) => linked(downloads, self.person.as_deref(), kind, file),
            None => enclosed(&self.path_argument("session_id", checked)?, kind, file),
        }
    }
}

fn linked(
    downloads: &dyn Downloads,
    person: Option<&str>,
    kind: FileKind,
    file: Bytes,
) -> Result<Given, Failure> {
    let kept = downloads.keep(person, kind, file).map_err(no_room)?;
    Ok(Given::from(json!({
        "download_url": kept.url,
        "expires_at": date::time(kept.expires_at),
        "expires_in": kept.expires_in,
    })))
}

fn no_room(full: NoRoom) -> Failure {
    Failure::new(ErrorCode::RateLimited, full.to_string()).hint(format!(
        "Reports wait a few minutes for whoever asked for them. Call again in {} s.",
        full.retry_after
    ))
}

fn enclosed(session: &PathPart, kind: FileKind, file: Bytes) -> Result<Given, Failure> {
    if file.len() > MAX_ENCLOSED {
        return Err(Failure::unprocessable(format!(
            "the report has {} bytes, and {MAX_ENCLOSED} is the most that is enclosed in an answer",
            file.len()
        ))
        .hint(
            "Fetch it in the Didit console, or from a server over HTTP, which answers with a link.",
        ));
    }
    Ok(Given {
        value: json!({"media_type": kind.media_type(), "size_bytes": file.len()}),
        enclosed: Some(Enclosed {
            uri: format!("didit://session/{}/report.pdf", session.encoded()),
            media_type: kind.media_type(),
            bytes: file,
        }),
    })
}
