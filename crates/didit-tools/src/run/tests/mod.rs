//! The runs against an API made of a table, which remembers what it was sent.

mod asking;
mod backend;
mod others;
mod sandbox;
mod saving;

use didit_client::send::Sender;
use didit_client::{Api, Credential, Secret};
use serde_json::{Value, json};

use self::backend::Backend;
use crate::acting::{Acting, Transport};
use crate::catalog;
use crate::map::Kept;
use crate::outcome::{Failure, Outcome};
use crate::place::Home;
use crate::schema::{Argument, Checked, Reading, Shape};

const OPEN: Shape = Shape::Object {
    properties: &[],
    closed: false,
};
const OBJECTS: Shape = Shape::List {
    of: &OPEN,
    at_least: 0,
    at_most: Some(10_000),
};
const TEXTS: Shape = Shape::List {
    of: &Shape::Text,
    at_least: 0,
    at_most: None,
};

const ARGUMENTS: &[Argument] = &[
    Argument::new("organization_id", Shape::Text, ""),
    Argument::new("application_id", Shape::Text, ""),
    Argument::new("workflow_id", Shape::Text, ""),
    Argument::new("session_id", Shape::Text, ""),
    Argument::new("questionnaire_id", Shape::Text, ""),
    Argument::new("node_id", Shape::Text, ""),
    Argument::new("branch_node_id", Shape::Text, ""),
    Argument::new("feature", Shape::Text, ""),
    Argument::new("country", Shape::Text, ""),
    Argument::new("workflow_type", Shape::Text, ""),
    Argument::new("image_path", Shape::Text, ""),
    Argument::new("image_base64", Shape::TextWithin(21_000_000), ""),
    Argument::new("portrait_image", Shape::TextWithin(21_000_000), ""),
    Argument::new("subject", Shape::Text, ""),
    Argument::new("include_config", Shape::Boolean, ""),
    Argument::new("include_graph", Shape::Boolean, ""),
    Argument::new("publish", Shape::Boolean, ""),
    Argument::new("graph", OPEN, ""),
    Argument::new("operations", OBJECTS, ""),
    Argument::new("choices", OBJECTS, ""),
    Argument::new("countries", TEXTS, ""),
    Argument::new("features", TEXTS, ""),
];

fn checked(arguments: &Value) -> Checked {
    Checked::new(ARGUMENTS, arguments.as_object(), Reading::default()).unwrap()
}

const NOW: u64 = 1_767_225_600; // 2026-01-01

/// Runs a tool for somebody with this credential.
async fn run_over<S: Transport>(
    sender: &Sender<S>,
    credential: &str,
    run: &str,
    arguments: &Value,
) -> Outcome {
    let acting = Acting {
        sender,
        kept: &Kept::default(),
        credential: Credential::Bearer(Secret::new(credential.to_owned())),
        person: None,
        home: Home::default(),
        tool: catalog::find("didit_workflow_get").unwrap(),
        files: Vec::new(),
        poll: crate::tools::DEFAULT_POLL,
        now: NOW,
    };
    acting.named(run, &checked(arguments)).await
}

impl Backend {
    async fn run(&self, run: &str, arguments: Value) -> Outcome {
        let api = Api::at("https://didit.test/auth", "https://didit.test/api").unwrap();
        let sender = Sender::new(api, self.clone());
        run_over(&sender, "token", run, &arguments).await
    }

    async fn answer(&self, run: &str, arguments: Value) -> Value {
        self.run(run, arguments).await.unwrap()
    }

    async fn failure(&self, run: &str, arguments: Value) -> Failure {
        self.run(run, arguments).await.unwrap_err()
    }
}

/// A workflow that reads a document and ends.
fn graph() -> Value {
    json!({"start_node": "ocr", "nodes": {
        "ocr": {"node_type": "feature", "feature": "OCR", "config": {"minimum_age": 18}, "next": "done"},
        "done": {"node_type": "status", "session_status": "Determine"},
    }})
}
