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
use crate::schema::{Argument, Checked, Shape};

const OBJECTS: Shape = Shape::List {
    of: &Shape::Object(&[]),
    at_least: 0,
};
const TEXTS: Shape = Shape::List {
    of: &Shape::Text,
    at_least: 0,
};

const ARGUMENTS: &[Argument] = &[
    Argument::text("organization_id", ""),
    Argument::text("application_id", ""),
    Argument::text("workflow_id", ""),
    Argument::text("session_id", ""),
    Argument::text("questionnaire_id", ""),
    Argument::text("node_id", ""),
    Argument::text("branch_node_id", ""),
    Argument::text("feature", ""),
    Argument::text("country", ""),
    Argument::text("workflow_type", ""),
    Argument::text("image_path", ""),
    Argument::text("image_base64", ""),
    Argument::text("portrait_image", ""),
    Argument::text("subject", ""),
    Argument::boolean("include_config", ""),
    Argument::boolean("include_graph", ""),
    Argument::boolean("publish", ""),
    Argument::object("graph", ""),
    Argument::new("operations", OBJECTS, ""),
    Argument::new("choices", OBJECTS, ""),
    Argument::new("countries", TEXTS, ""),
    Argument::new("features", TEXTS, ""),
];

fn checked(arguments: &Value) -> Checked {
    Checked::new(ARGUMENTS, arguments.as_object(), false).unwrap()
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
