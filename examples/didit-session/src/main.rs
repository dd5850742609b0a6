//! A verification session from creation to decision, on didit-client alone.
//!
//! `didit-session ADDRESS CREDENTIAL` works at a stand-in for Didit's API; the example `sandbox` of this package starts one.

#![expect(clippy::print_stdout, reason = "what it prints is its purpose")]

mod connection;
mod reading;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::process::ExitCode;

use bytes::Bytes;
use didit_client::{Api, Call, Credential};
use http::{Request, Response};
use serde_json::Value;

use crate::reading::{at, first, part, row, text};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(credential)) = (arguments.next(), arguments.next()) else {
        println!("usage: didit-session ADDRESS CREDENTIAL");
        return ExitCode::FAILURE;
    };
    match run(&address, credential).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("stopped       {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(address: &str, credential: String) -> Result<(), Box<dyn Error>> {
    let didit = Didit {
        api: Api::at(&format!("{address}/auth/v2"), &format!("{address}/v3"))?,
        credential: Credential::bearer(credential),
        send: connection::send,
    };
    story(&didit, |line| println!("{line}")).await
}

/// Didit's API, one person's credential, and anything that can send a request.
struct Didit<F> {
    api: Api,
    credential: Credential,
    send: F,
}

impl<F> Didit<F>
where
    F: AsyncFn(Request<Vec<u8>>) -> Result<Response<Bytes>, Box<dyn Error>>,
{
    /// A call is a request before the wire and a value, or an error with a code, after it.
    async fn call(&self, call: Call) -> Result<Value, Box<dyn Error>> {
        let request = call.request(&self.api, &self.credential)?;
        let response = (self.send)(request).await?;
        Ok(call.response(&response)?)
    }
}

/// Creates a session, finds it in the list, decides it, and reads the decision.
async fn story<F>(didit: &Didit<F>, mut tell: impl FnMut(String)) -> Result<(), Box<dyn Error>>
where
    F: AsyncFn(Request<Vec<u8>>) -> Result<Response<Bytes>, Box<dyn Error>>,
{
    // Where am I? Everything at Didit is in an organisation, and most of it in an application.
    let organizations = didit.call(row("organization.list")?).await?;
    let organization = part(&organizations, "/0/uuid")?;
    tell(format!(
        "organisation  {} as {}",
        text(&organizations, "/0/name"),
        text(&organizations, "/0/role")
    ));

    let call = row("organization.applications")?.part("org", organization.clone());
    let applications = didit.call(call).await?;
    // Only in sandbox mode can the outcome of a session be chosen beforehand.
    let application = first(&applications, |row| text(row, "/mode") == "sandbox")?;
    tell(format!("application   {}", text(application, "/name")));
    tell(format!(
        "its key       {} (the rest of it never gets here)",
        text(application, "/api_key_preview")
    ));
    let application = part(application, "/uuid")?;

    let place = |call: Call| {
        call.part("org", organization.clone())
            .part("app", application.clone())
    };
    let workflows = didit.call(place(row("workflow.list")?)).await?;
    let workflow = first(&workflows, |row| text(row, "/workflow_type") == "kyc")?;
    tell(format!(
        "workflow      {}",
        text(workflow, "/workflow_label")
    ));

    // Somebody is to be verified; the scenario stands for what they would do.
    let call = row("session.create")?
        .field("workflow_id", at(workflow, "/uuid").clone())
        .field("vendor_data", "customer-42".into())
        .field("sandbox_scenario", "review_aml".into());
    let session = didit.call(call).await?;
    tell(format!(
        "created       session {} is {}",
        at(&session, "/session_number"),
        text(&session, "/status")
    ));

    // It is among those that wait for somebody to decide.
    let call = place(row("session.list")?)
        .query("status", "In Review")
        .query("vendor_data", "customer-42");
    let waiting = didit.call(call).await?;
    tell(format!(
        "in review     {} for customer-42",
        at(&waiting, "/count")
    ));

    let id = part(&session, "/session_id")?;
    let call = row("session.update_status")?
        .part("session_id", id.clone())
        .field("new_status", "Approved".into())
        .field("comment", "Another person of the same name.".into());
    didit.call(call).await?;
    let decision = didit
        .call(row("session.decision")?.part("session_id", id))
        .await?;
    tell(format!("decided       {}", text(&decision, "/status")));
    Ok(())
}
