//! The section of the page.

use crate::interop::Played;
use crate::interop::cases::CASES;
use crate::interop::runs::{Role, SDKS, Transport};

/// The section. Nothing in it depends on when or where it was made.
///
/// A run that could not be made here keeps the line that it has on the page as it is now.
pub(crate) fn render(played: &[Played], page_now: &str) -> String {
    let mut text = String::from(HEAD);
    text.push_str(&format!("The cases are: {}.\n\n", CASES.join(", ")));
    for sdk in SDKS {
        text.push_str(&format!("- {}\n", sdk.title()));
    }
    text.push_str(
        "\n| run | the SDK is | over | revision | cases | left out |\n|---|---|---|---|---|---|\n",
    );
    for one in played {
        let start = format!("| {} |", one.run.name());
        if one.not_run {
            let kept = page_now.lines().find(|line| line.starts_with(&start));
            text.push_str(kept.unwrap_or(&start));
        } else {
            text.push_str(&start);
            text.push_str(&rest_of_line(one));
        }
        text.push('\n');
    }
    text
}

fn rest_of_line(one: &Played) -> String {
    let role = match one.run.role {
        Role::Client => "the client",
        Role::Server => "the server",
    };
    let transport = match one.run.transport {
        Transport::Http => "HTTP",
        Transport::Stdio => "stdio",
    };
    let cases = if one.complaints.is_empty() {
        format!("{} passed", one.cases)
    } else {
        "**failed**".to_owned()
    };
    let left_out: Vec<String> = one
        .run
        .without
        .iter()
        .map(|(case, reason)| format!("{case}: {reason}"))
        .collect();
    format!(
        " {role} | {transport} | {} | {cases} | {} |",
        one.run.revision,
        left_out.join("; ")
    )
}

const HEAD: &str = "
## Interoperation with the official SDKs

Each run lets an official SDK and `mcp-protocol` go through the same cases.
Where the SDK is the client, the server is `examples/conformance-server`; where it is the server, the client is `examples/conformance-client`.
A case that is missing without being listed as left out fails the gate, and so does one that is listed and seen.

";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interop::runs::RUNS;

    #[test]
    fn a_run_that_was_not_made_keeps_its_line() {
        let [first, second, ..] = RUNS;
        let played = |run, not_run| Played {
            run,
            cases: 22,
            complaints: Vec::new(),
            not_run,
        };
        let before = render(&[played(first, false), played(second, false)], "");
        let line = |text: &str, run: &crate::interop::runs::Run| {
            let start = format!("| {} |", run.name());
            text.lines()
                .find(|line| line.starts_with(&start))
                .map(str::to_owned)
        };
        assert!(line(&before, &first).unwrap().contains("22 passed"));
        let after = render(&[played(first, true), played(second, false)], &before);
        assert_eq!(after, before);
    }
}
