//! The files among the arguments of a tool, with the rules of what they are for.

use didit_client::File;

use crate::fetched::is_address;
use crate::file::{Given, PORTRAIT, Paths, RefusedFile, take, takes};
use crate::outcome::Failure;
use crate::schema::Checked;

/// The file that two arguments give, one its path and one its bytes; `None` when neither is there.
pub(crate) fn given(
    checked: &Checked,
    operation: &str,
    field: &str,
    path: &str,
    base64: &str,
    paths: Paths,
) -> Result<Option<File>, Failure> {
    let given = Given {
        path: checked.text(path),
        base64: checked.text(base64),
    };
    take(given, field, takes(operation, field), paths).map_err(|why| {
        let argument = if given.base64.is_some() { base64 } else { path };
        let hint = match why {
            RefusedFile::Both | RefusedFile::PathOverHttp => {
                format!("Send the bytes as {base64} and leave {path} out.")
            }
            RefusedFile::Base64(_) => {
                format!("Send {base64} as one piece of base64, or as a data URL that says ;base64.")
            }
            _ => "Send another file.".to_owned(),
        };
        Failure::bad_request(format!("{argument} {why}"))
            .field(argument)
            .hint(hint)
    })
}

/// A portrait that is sent along has to be one; an address is looked at elsewhere.
pub(crate) fn check_portrait(checked: &Checked) -> Result<(), Failure> {
    const ARGUMENT: &str = "portrait_image";
    let given = Given {
        path: None,
        base64: checked.text(ARGUMENT).filter(|text| !is_address(text)),
    };
    match take(given, "portrait", &PORTRAIT, Paths::Refused) {
        Ok(_) => Ok(()),
        Err(why) => Err(Failure::bad_request(format!("{ARGUMENT} {why}"))
            .field(ARGUMENT)
            .hint("Send a picture of 1 MB at most as base64 or a data URL.")),
    }
}
