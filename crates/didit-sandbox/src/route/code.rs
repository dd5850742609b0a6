//! Codes that are sent to an address or a number, and checked.

use serde_json::{Value, json};

use super::check::pay;
use super::{Answer, Call, Outcome};
use crate::account::{Checked as Tried, code};
use crate::date::timestamp;
use crate::field::{Checked, Kind, optional, required};
use crate::refused::Refused;
use crate::world::World;

/// How long a code that was sent is good for.
const CODE_SECONDS: u64 = 300;
/// Codes for one number and hour.
const MOST_PER_HOUR: usize = 4;

/// A way to reach somebody, to which a code is sent.
pub(super) struct Channel {
    name: &'static str,
    field: &'static str,
    is: fn(&str) -> bool,
}

pub(super) static EMAIL: Channel = Channel {
    name: "email",
    field: "email",
    is: super::review::is_address,
};

pub(super) static PHONE: Channel = Channel {
    name: "phone",
    field: "phone_number",
    is: is_number,
};

// ITU-T E.164 section 6.1: a plus sign and at most 15 digits, of which the first is no zero.
fn is_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

fn reached(channel: &Channel, checked: &Checked) -> Result<String, Refused> {
    let text = checked.text(channel.field).unwrap_or_default();
    if (channel.is)(text) {
        Ok(text.to_owned())
    } else {
        let why = format!("Enter a valid {}.", channel.field.replace('_', " "));
        Err(Refused::field(channel.field, why))
    }
}

pub(super) fn send(world: &mut World, call: &Call, channel: &Channel) -> Outcome {
    let fields = [
        required(channel.field, Kind::Text(254)),
        optional("options", Kind::Object(1_024)),
        optional("signals", Kind::Object(2_048)),
        optional("vendor_data", Kind::Text(256)),
    ];
    let checked = Checked::whole(&call.body, &fields)?;
    let to = reached(channel, &checked)?;
    let options = checked.get("options").cloned().unwrap_or_default();
    let size = options.get("code_size").map_or(Some(6), Value::as_u64);
    let size = size
        .and_then(|size| usize::try_from(size).ok())
        .filter(|size| (4..=8).contains(size));
    let size =
        size.ok_or_else(|| Refused::field("options", "code_size is a whole number from 4 to 8."))?;
    let letters = options.get("alphanumeric_code") == Some(&Value::Bool(true));
    if channel.name == "phone" {
        world
            .accounts
            .allow(format!("phone {to}"), MOST_PER_HOUR, call.now)?;
    }
    pay(world, call)?;
    let text = code(&mut world.generator, size, letters);
    let what = format!("{}/{}", channel.name, call.application()?);
    world
        .accounts
        .send(&what, &to, text, call.now + CODE_SECONDS);
    Ok(Answer::ok(json!({
        "request_id": world.generator.uuid(),
        "status": "Success",
        channel.field: to,
        "expires_at": timestamp(call.now + CODE_SECONDS),
    })))
}

pub(super) fn check(world: &mut World, call: &Call, channel: &Channel) -> Outcome {
    let fields = [
        required(channel.field, Kind::Text(254)),
        required("code", Kind::Text(16)),
    ];
    let checked = Checked::whole(&call.body, &fields)?;
    let to = reached(channel, &checked)?;
    let what = format!("{}/{}", channel.name, call.application()?);
    let code = checked.text("code").unwrap_or_default();
    let (status, message) = match world.accounts.check(&what, &to, code, call.now) {
        Tried::Right => ("Approved", "The verification code is correct."),
        Tried::Wrong => ("Failed", "The verification code is wrong."),
        Tried::Gone => {
            let why = "There is no code to check: send one, or another one.";
            return Err(Refused::field("code", why));
        }
    };
    Ok(Answer::ok(json!({
        "request_id": world.generator.uuid(),
        "status": status,
        "message": message,
        channel.name: { channel.field: to, "status": status },
    })))
}
