//! What is checked before a credential is asked for or anything is read or sent.

use didit_client::operation::CredentialKind;
use didit_client::{ErrorCode, File};
use serde_json::{Map, Value};

use crate::acting::{path_part, row};
use crate::catalog::{Tool, Upload};
use crate::fetched;
use crate::file::Paths;
use crate::outcome::Failure;
use crate::run::files::{check_portrait, given};
use crate::schema::Checked;
use crate::tools::Surface;

/// A call that may be made.
#[derive(Debug)]
pub(crate) struct Ready {
    /// The credential that the call takes.
    pub(crate) takes: CredentialKind,
    /// The files of the call by their name on the wire.
    pub(crate) files: Vec<(&'static str, File)>,
}

/// Everything that can be refused without asking anybody.
pub(crate) fn ready(tool: &Tool, checked: &Checked, surface: Surface) -> Result<Ready, Failure> {
    confirmed(tool, checked)?;
    chosen(tool, checked)?;
    addresses(tool, checked)?;
    available(checked)?;
    if !tool.fetches_or_holds.is_empty() {
        check_portrait(checked)?;
    }
    parts(tool, checked)?;
    let takes = match tool.operations.first() {
        Some(first) => row(first)?.credential,
        None => CredentialKind::Bearer,
    };
    Ok(Ready {
        takes,
        files: files(tool, checked, surface)?,
    })
}

/// Arguments that are for a caller on the same machine alone.
pub(crate) fn surface(
    tool: &Tool,
    given: Option<&Map<String, Value>>,
    surface: Surface,
) -> Result<(), Failure> {
    if surface == Surface::Stdio {
        return Ok(());
    }
    let names = given.into_iter().flat_map(Map::keys);
    let Some(argument) = names
        .filter_map(|name| tool.argument(name))
        .find(|argument| argument.stdio_only)
    else {
        return Ok(());
    };
    let upload = tool.uploads.iter().find(|one| one.path == argument.name);
    let name = argument.name;
    Err(match upload {
        Some(upload) => Failure::bad_request(format!(
            "{name} would be a file of the server, which is not read"
        ))
        .hint(format!("Send the bytes as {}.", upload.base64)),
        None => Failure::bad_request(format!("the tool has no argument {name}"))
            .hint("Leave it out: the call is made with the sign-in of this connection."),
    }
    .field(name))
}

/// What is dangerous needs a real `true`.
fn confirmed(tool: &Tool, checked: &Checked) -> Result<(), Failure> {
    let Some(confirm) = tool.confirm else {
        return Ok(());
    };
    let asked = confirm
        .beside
        .is_none_or(|beside| checked.says_something(beside));
    if !asked || checked.is_true(confirm.argument) {
        return Ok(());
    }
    let what = match tool.operations.first() {
        Some(first) => row(first)?.confirm.unwrap_or_default(),
        None => "",
    };
    Err(unconfirmed(tool, confirm.argument, what))
}

/// The refusal of a call that nobody agreed to.
pub(crate) fn unconfirmed(tool: &Tool, argument: &str, what: &str) -> Failure {
    Failure::new(
        ErrorCode::UnsafeOperation,
        format!("{} was not done: {what}", tool.name),
    )
    .field(argument)
    .hint(format!(
        "Ask the person first, then call again with {argument}: true."
    ))
}

/// Arguments of which one is needed.
fn chosen(tool: &Tool, checked: &Checked) -> Result<(), Failure> {
    for one_of in [tool.any_of, tool.one_given] {
        if !one_of.is_empty() && !one_of.iter().any(|name| checked.says_something(name)) {
            return Err(choice(tool, "one of", one_of));
        }
    }
    let given = |name: &&&str| checked.says_something(name);
    if !tool.exactly_one.is_empty() && tool.exactly_one.iter().filter(given).count() != 1 {
        return Err(choice(tool, "exactly one of", tool.exactly_one));
    }
    Ok(())
}

fn choice(tool: &Tool, how_many: &str, names: &[&str]) -> Failure {
    let mut failure = Failure::bad_request(format!("{how_many} {} is needed", names.join(", ")));
    if let Some(first) = names.first() {
        failure = failure.field(*first);
        if let Some(argument) = tool.argument(first) {
            failure = failure.hint(argument.says);
        }
    }
    failure
}

/// An address that Didit's servers will fetch must not point inside a network.
fn addresses(tool: &Tool, checked: &Checked) -> Result<(), Failure> {
    let always = tool.fetches.iter();
    let sometimes = tool.fetches_or_holds.iter().filter(|argument| {
        let text = checked.text(argument);
        text.is_some_and(fetched::is_address)
    });
    for argument in always.chain(sometimes) {
        let Some(text) = checked.text(argument) else {
            continue;
        };
        fetched::check(text).map_err(|why| {
            Failure::new(ErrorCode::UnsafeOperation, format!("{argument} {why}"))
                .field(*argument)
                .hint("Send the data itself, or an address that anybody can reach.")
        })?;
    }
    Ok(())
}

/// What is in the schema and cannot be done yet is refused rather than ignored.
fn available(checked: &Checked) -> Result<(), Failure> {
    if checked.is_true("include_age_assurance") {
        return Err(
            Failure::unprocessable("include_age_assurance is not available yet")
                .field("include_age_assurance")
                .hint("Leave it out; didit_workflow_get shows the settings of one workflow."),
        );
    }
    Ok(())
}

/// Ids that become parts of a path.
fn parts(tool: &Tool, checked: &Checked) -> Result<(), Failure> {
    let check = |argument: &str| {
        path_part(checked, argument).map_err(|failure| match tool.argument(argument) {
            Some(known) => failure.hint(format!(
                "Pass the id alone, as Didit gave it. {}",
                known.says
            )),
            None => failure,
        })
    };
    // What the further calls of a tool need is found out on the way.
    if let Some(first) = tool.operations.first() {
        for part in row(first)?.parts() {
            check(tool.argument_of(part))?;
        }
    }
    check("organization_id")?;
    check("application_id")?;
    Ok(())
}

fn files(
    tool: &Tool,
    checked: &Checked,
    surface: Surface,
) -> Result<Vec<(&'static str, File)>, Failure> {
    let mut files = Vec::new();
    for upload in tool.uploads {
        match one_file(tool, upload, checked, surface)? {
            Some(file) => files.push((upload.field, file)),
            None if upload.required => {
                return Err(
                    Failure::bad_request(format!("{} is missing", upload.base64))
                        .field(upload.base64)
                        .hint(tool.argument(upload.base64).map_or("", |known| known.says)),
                );
            }
            None => {}
        }
    }
    Ok(files)
}

fn one_file(
    tool: &Tool,
    upload: &Upload,
    checked: &Checked,
    surface: Surface,
) -> Result<Option<File>, Failure> {
    let operation = tool.operations.first().copied().unwrap_or_default();
    let paths = match surface {
        Surface::Http => Paths::Refused,
        Surface::Stdio => Paths::Read,
    };
    given(
        checked,
        operation,
        upload.field,
        upload.path,
        upload.base64,
        paths,
    )
}
