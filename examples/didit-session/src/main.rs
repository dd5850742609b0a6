//! A verification session from creation to decision, on didit-client alone.
//!
//! `didit-session ADDRESS CREDENTIAL` works at a stand-in for Didit's API; the example `sandbox` of this package starts one.

#![expect(clippy::print_stdout, reason = "what it prints is its purpose")]

mod connection;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::process::ExitCode;

use bytes::Bytes;
use didit_client::model::{
    Application, CreatedSession, Decision, InvalidModel, Mode, Organization, Session, Workflow,
};
use didit_client::request::session::UpdateStatusNewStatus;
use didit_client::request::{organization, session, workflow};
use didit_client::{Api, Call, Credential, Page, PathPart};
use http::{Request, Response};
use serde_json::Value;

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

    /// The answer as a type, which names the field that is not as it should be.
    async fn one<T>(&self, call: Call) -> Result<T, Box<dyn Error>>
    where
        T: TryFrom<Value, Error = InvalidModel>,
    {
        Ok(T::try_from(self.call(call).await?)?)
    }

    /// The rows of the first page.
    async fn rows<T>(&self, call: Call) -> Result<Vec<T>, Box<dyn Error>>
    where
        T: TryFrom<Value, Error = InvalidModel>,
    {
        Ok(Page::read(self.call(call).await?)?.rows_as()?)
    }
}

/// Creates a session, finds it in the list, decides it, and reads the decision.
async fn story<F>(didit: &Didit<F>, mut tell: impl FnMut(String)) -> Result<(), Box<dyn Error>>
where
    F: AsyncFn(Request<Vec<u8>>) -> Result<Response<Bytes>, Box<dyn Error>>,
{
    // Where am I? Everything at Didit is in an organisation, and most of it in an application.
    let organizations: Vec<Organization> = didit.rows(organization::List::new().call()).await?;
    let at = organizations.first().ok_or("no organisation is there")?;
    tell(format!(
        "organisation  {} as {}",
        or_dash(at.name.as_ref()),
        or_dash(at.role.as_ref())
    ));
    let organization = PathPart::parse(&at.uuid)?;

    let call = organization::Applications::new(organization.clone()).call();
    let applications: Vec<Application> = didit.rows(call).await?;
    // Only in sandbox mode can the outcome of a session be chosen beforehand.
    let at = applications
        .iter()
        .find(|row| row.mode == Some(Mode::Sandbox))
        .ok_or("no application in sandbox mode is there")?;
    tell(format!("application   {}", or_dash(at.name.as_ref())));
    tell(format!(
        "its key       {} (the rest of it never gets here)",
        or_dash(at.api_key_preview.as_ref())
    ));
    let application = PathPart::parse(&at.uuid)?;

    let call = workflow::List::new(organization.clone(), application.clone()).call();
    let workflows: Vec<Workflow> = didit.rows(call).await?;
    let workflow = workflows
        .iter()
        .find(|row| row.workflow_type.as_deref() == Some("kyc"))
        .ok_or("no workflow for people is there")?;
    tell(format!(
        "workflow      {}",
        or_dash(workflow.workflow_label.as_ref())
    ));

    // Somebody is to be verified; the scenario stands for what they would do.
    let mut create = session::Create::new(workflow.uuid.clone());
    create.vendor_data = Some("customer-42".to_owned());
    create.sandbox_scenario = Some("review_aml".to_owned());
    let created: CreatedSession = didit.one(create.call()).await?;
    tell(format!(
        "created       session {} is {}",
        or_dash(created.session_number.as_ref()),
        created.status
    ));

    // It is among those that wait for somebody to decide.
    let mut list = session::List::new(organization, application);
    list.status = Some("In Review".to_owned());
    list.vendor_data = Some("customer-42".to_owned());
    let waiting: Vec<Session> = didit.rows(list.call()).await?;
    tell(format!("in review     {} for customer-42", waiting.len()));

    let id = PathPart::parse(&created.session_id)?;
    let mut update = session::UpdateStatus::new(id.clone(), UpdateStatusNewStatus::Approved);
    update.comment = Some("Another person of the same name.".to_owned());
    didit.call(update.call()).await?;
    let decision: Decision = didit.one(session::Decision::new(id).call()).await?;
    tell(format!("decided       {}", decision.status));
    Ok(())
}

/// What an answer need not have.
fn or_dash(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}
