//! The story in memory, and over a connection, and what must fail.

mod faults;

use std::net::Ipv4Addr;
use std::sync::Arc;

use didit_client::model::{
    Balance, Case, List, SessionStatus, Transaction, VendorUser, WorkflowStatus,
};
use didit_client::request::{case, list, transaction, vendor_user};
use didit_client::{ApiError, ErrorCode};
use didit_sandbox::{Sandbox, SandboxService};
use http_body_util::{BodyExt as _, Full};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower_service::Service as _;

use super::*;

fn sandbox() -> Sandbox {
    Sandbox::new(Arc::new(|| 1_767_225_600))
}

async fn in_memory(
    mut service: SandboxService,
    request: Request<Vec<u8>>,
) -> Result<Response<Bytes>, Box<dyn Error>> {
    let request = request.map(|body| Full::new(Bytes::from(body)));
    let (parts, body) = service.call(request).await?.into_parts();
    Ok(Response::from_parts(
        parts,
        body.collect().await?.to_bytes(),
    ))
}

/// The lines of the story as this person, or why it ended.
async fn told(person: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let sandbox = sandbox();
    let credential = sandbox.credential(person);
    let didit = Didit {
        api: Api::at("http://localhost/auth/v2", "http://localhost/v3")?,
        credential: Credential::bearer(credential.unwrap_or_else(|| "nobody's".to_owned())),
        send: async |request| in_memory(sandbox.service(), request).await,
    };
    let mut lines = Vec::new();
    story(&didit, |line| lines.push(line)).await?;
    Ok(lines)
}

const OLIVIAS: [&str; 7] = [
    "organisation  Harbour Lane Bank as OWNER",
    "application   Onboarding sandbox",
    "its key       yLoj…Hdij (43) ",
    "workflow      Full onboarding (test)",
    "created       session 41 is In Review",
    "in review     1 for customer-42",
    "decided       Approved",
];

#[tokio::test]
async fn an_owner_gets_to_the_decision() {
    let lines = told("olivia").await.unwrap();
    assert_eq!(lines.len(), OLIVIAS.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(OLIVIAS) {
        assert!(line.starts_with(expected), "{lines:#?}");
    }
}

#[tokio::test]
async fn the_same_over_a_connection() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let sandbox = sandbox();
    let credential = sandbox.credential("olivia").unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(sandbox.service());
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    let didit = Didit {
        api: Api::at(&format!("{address}/auth/v2"), &format!("{address}/v3")).unwrap(),
        credential: Credential::bearer(credential),
        send: connection::send,
    };
    let mut lines = 0;
    story(&didit, |_| lines += 1).await.unwrap();
    assert_eq!(lines, OLIVIAS.len());
}

#[tokio::test]
async fn a_reader_may_not_create() {
    let error = told("rita").await.unwrap_err();
    let error = error.downcast_ref::<ApiError>().unwrap();
    assert_eq!(error.code(), ErrorCode::Forbidden, "{error}");
    assert_eq!(error.status(), Some(403));
}

#[tokio::test]
async fn a_stranger_gets_nowhere() {
    let error = told("nobody").await.unwrap_err();
    let error = error.downcast_ref::<ApiError>().unwrap();
    assert_eq!(error.status(), Some(401), "{error}");
}

#[test]
fn a_credential_does_not_travel_in_the_clear() {
    assert!(Api::at("http://didit.example/auth/v2", "http://didit.example/v3").is_err());
}

#[tokio::test]
async fn every_kind_of_answer_fits_its_type() {
    let sandbox = sandbox();
    let didit = Didit {
        api: Api::at("http://localhost/auth/v2", "http://localhost/v3").unwrap(),
        credential: Credential::bearer(sandbox.credential("olivia").unwrap()),
        send: async |request| in_memory(sandbox.service(), request).await,
    };
    let organizations: Vec<Organization> =
        didit.rows(organization::List::new().call()).await.unwrap();
    let org = PathPart::parse(&organizations[0].uuid).unwrap();
    let call = organization::Balance::new(org.clone()).call();
    let balance: Balance = didit.one(call).await.unwrap();
    assert!(balance.balance.as_str().parse::<f64>().is_ok());

    let call = organization::Applications::new(org.clone()).call();
    let applications: Vec<Application> = didit.rows(call).await.unwrap();
    assert!(!applications.is_empty());
    for application in applications {
        let app = || PathPart::parse(&application.uuid).unwrap();
        let org = || org.clone();
        let workflows: Vec<Workflow> = didit
            .rows(workflow::List::new(org(), app()).call())
            .await
            .unwrap();
        let published = Some(WorkflowStatus::Published);
        assert!(workflows.iter().any(|row| row.status == published));

        let sessions: Vec<Session> = didit
            .rows(session::List::new(org(), app()).call())
            .await
            .unwrap();
        assert!(!sessions.is_empty());
        for row in sessions {
            let id = PathPart::parse(&row.session_id).unwrap();
            let decision: Decision = didit.one(session::Decision::new(id).call()).await.unwrap();
            assert_eq!(decision.status, row.status);
            assert!(!matches!(decision.status, SessionStatus::Other(_)));
        }

        let call = case::List::new(org(), app()).call();
        let cases: Vec<Case> = didit.rows(call).await.unwrap();
        let call = transaction::List::new(org(), app()).call();
        let transactions: Vec<Transaction> = didit.rows(call).await.unwrap();
        let call = vendor_user::List::new(org(), app()).call();
        let people: Vec<VendorUser> = didit.rows(call).await.unwrap();
        let call = list::List::new(org(), app()).call();
        let lists: Vec<List> = didit.rows(call).await.unwrap();
        assert!(!transactions.is_empty() && !people.is_empty() && !lists.is_empty());
        assert!(cases.iter().all(|case| case.status.is_some()));
    }
}
