//! `dev`: the whole stack on this machine, against the sandbox.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use didit_sandbox::{Person, Sandbox};
use oauth_rs::time::Clock as _;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::data::DataDir;
use crate::listen::{Limits, Listener, serve};
use crate::stop::Stop;
use crate::system::{SystemClock, SystemEntropy};
use crate::wiring::{self, Addresses, Settings, outside};

/// Start everything on loopback: MCP endpoint, authorization server, and a sandbox of Didit's API.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Print one line of JSON when ready, and nothing else on stdout
    #[arg(long)]
    json: bool,
    /// Port of the MCP endpoint; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = 3000)]
    mcp_port: u16,
    /// Port of the authorization server; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = 3001)]
    auth_port: u16,
    /// Port of the Didit sandbox; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = 3002)]
    sandbox_port: u16,
    /// Keep keys, registrations and grants in this folder [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How long an access token lives
    #[arg(long, value_name = "N", default_value_t = 300,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    access_token_seconds: u64,
    /// Answer sign-in and consent by itself as this person (for tests)
    #[arg(long, value_name = "ID")]
    auto_consent: Option<String>,
    /// Demand a nonce of the server in each DPoP proof (to try a client out)
    #[arg(long)]
    dpop_nonces: bool,
}

/// Runs until the process is asked to stop.
pub(crate) async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let mut asked = Stop::listen()?;
    let entropy = SystemEntropy::new();
    let sandbox = Sandbox::new(Arc::new(|| SystemClock.now().0));
    let people = sandbox.people();
    if let Some(id) = &args.auto_consent {
        known_person(id, &people)?;
        tracing::warn!(
            person = id,
            "--auto-consent: every client on this machine gets what it asks for, as this person, unasked"
        );
    }
    let mcp = Listener::loopback(args.mcp_port, "--mcp-port").await?;
    let auth = Listener::loopback(args.auth_port, "--auth-port").await?;
    let didit = Listener::loopback(args.sandbox_port, "--sandbox-port").await?;
    let addresses = Addresses {
        mcp_url: format!("http://{}/mcp", mcp.address()),
        issuer: format!("http://{}", auth.address()),
        sandbox_url: format!("http://{}", didit.address()),
    };
    let folder = match args.data {
        Some(path) => DataDir::named(path)?,
        None => DataDir::temporary(&entropy)?,
    };
    let settings = Settings {
        access_token_life: Duration::from_secs(args.access_token_seconds),
        auto_consent: args.auto_consent,
        dpop_nonces: args.dpop_nonces,
    };
    let secrets = outside::secrets(&folder, &entropy)?;
    let store = outside::open_store(&folder).await?;
    let outside = outside::outside(&store, entropy);
    let stack = wiring::assemble(&addresses, settings, secrets, outside, &sandbox)?;

    let stop = CancellationToken::new();
    let keeper = tokio::spawn(outside::keep_store(store, stop.clone()));
    let servers = [
        tokio::spawn(serve(
            didit,
            sandbox.service(),
            Limits::default(),
            stop.clone(),
        )),
        tokio::spawn(serve(auth, stack.auth, Limits::default(), stop.clone())),
        tokio::spawn(serve(mcp, stack.mcp, Limits::default(), stop.clone())),
    ];
    let mut out = io::stdout().lock();
    if args.json {
        print_json(&mut out, &addresses, &people)?;
    } else {
        print_text(&mut out, &addresses, &people, &folder)?;
    }
    drop(out);

    asked.asked().await;
    stop.cancel();
    for server in servers {
        server.await?;
    }
    // After the listeners, so that the last answers are in the database.
    keeper.await?;
    Ok(())
}

/// Refuses a person who is not in the sandbox, and says who is.
fn known_person(id: &str, people: &[Person]) -> Result<(), String> {
    if people.iter().any(|person| person.id == id) {
        return Ok(());
    }
    let ids: Vec<&str> = people.iter().map(|person| person.id.as_str()).collect();
    Err(format!(
        "--auto-consent: nobody has the id {id:?}; choose one of {}",
        ids.join(", ")
    ))
}

/// The one line of `--json`.
#[derive(Serialize)]
struct Ready<'a> {
    mcp_url: &'a str,
    issuer: &'a str,
    sandbox_url: &'a str,
    people: Vec<PersonLine<'a>>,
}

#[derive(Serialize)]
struct PersonLine<'a> {
    id: &'a str,
    name: &'a str,
    email: &'a str,
    role: &'a str,
}

fn print_json(out: &mut impl Write, at: &Addresses, people: &[Person]) -> io::Result<()> {
    let people = people
        .iter()
        .map(|p| PersonLine {
            id: &p.id,
            name: &p.name,
            email: &p.email,
            role: &p.role,
        })
        .collect();
    let ready = Ready {
        mcp_url: &at.mcp_url,
        issuer: &at.issuer,
        sandbox_url: &at.sandbox_url,
        people,
    };
    serde_json::to_writer(&mut *out, &ready)?;
    writeln!(out)?;
    out.flush()
}

fn print_text(
    out: &mut impl Write,
    at: &Addresses,
    people: &[Person],
    folder: &DataDir,
) -> io::Result<()> {
    let url = &at.mcp_url;
    writeln!(
        out,
        "Ready, for this machine only. Stop with Ctrl-C.\n\n\
         MCP endpoint   {url}\n\
         Issuer         {}\n\
         Didit sandbox  {}\n\
         Data           {}\n\n\
         Who can sign in (no passwords here):",
        at.issuer,
        at.sandbox_url,
        folder.path().display(),
    )?;
    let width = people.iter().map(|p| p.id.len()).max().unwrap_or(0);
    let names = people
        .iter()
        .map(|p| p.name.chars().count())
        .max()
        .unwrap_or(0);
    for p in people {
        writeln!(
            out,
            "  {:width$}  {:names$}  {:<19}  {}",
            p.id, p.name, p.role, p.email
        )?;
    }
    writeln!(
        out,
        "\nClaude Code\n  \
           claude mcp add --transport http didit {url}\n\
         Cursor (.cursor/mcp.json)\n  \
           {{\"mcpServers\":{{\"didit\":{{\"url\":\"{url}\"}}}}}}\n\
         VS Code\n  \
           code --add-mcp '{{\"name\":\"didit\",\"type\":\"http\",\"url\":\"{url}\"}}'\n\
         Our own client\n  \
           cargo run -p mcp-server -- login {url}\n  \
           cargo run -p mcp-server -- tools {url}\n  \
           cargo run -p mcp-server -- call {url} didit_session_list '{{}}'"
    )?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> Vec<Person> {
        Sandbox::new(Arc::new(|| 1_800_000_000)).people()
    }

    fn addresses() -> Addresses {
        Addresses {
            mcp_url: "http://127.0.0.1:3000/mcp".to_owned(),
            issuer: "http://127.0.0.1:3001".to_owned(),
            sandbox_url: "http://127.0.0.1:3002".to_owned(),
        }
    }

    #[test]
    fn the_json_line_is_one_line_with_the_promised_members() {
        let mut out = Vec::new();
        print_json(&mut out, &addresses(), &people()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["mcp_url"], "http://127.0.0.1:3000/mcp");
        assert_eq!(line["issuer"], "http://127.0.0.1:3001");
        assert_eq!(line["sandbox_url"], "http://127.0.0.1:3002");
        let roles: Vec<&str> = line["people"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["role"].as_str().unwrap())
            .collect();
        for role in [
            "OWNER",
            "ADMIN",
            "COMPLIANCE_OFFICER",
            "DEVELOPER",
            "READER",
        ] {
            assert!(roles.contains(&role), "{roles:?}");
        }
        for member in ["id", "name", "email"] {
            assert!(
                line["people"][0][member]
                    .as_str()
                    .is_some_and(|text| !text.is_empty())
            );
        }
    }

    #[test]
    fn the_text_names_every_client_and_person() {
        let folder = DataDir::temporary(&SystemEntropy::new()).unwrap();
        let mut out = Vec::new();
        print_text(&mut out, &addresses(), &people(), &folder).unwrap();
        let text = String::from_utf8(out).unwrap();
        for part in [
            "claude mcp add --transport http didit http://127.0.0.1:3000/mcp\n",
            "{\"mcpServers\":{\"didit\":{\"url\":\"http://127.0.0.1:3000/mcp\"}}}\n",
            "code --add-mcp '{\"name\":\"didit\",\"type\":\"http\",\"url\":\"http://127.0.0.1:3000/mcp\"}'\n",
            "cargo run -p mcp-server -- login http://127.0.0.1:3000/mcp\n",
            "Issuer         http://127.0.0.1:3001\n",
        ] {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
        for person in people() {
            assert!(text.contains(&person.email), "{person:?}");
        }
    }

    #[test]
    fn an_unknown_person_for_auto_consent_is_refused_with_the_choice() {
        let people = people();
        assert_eq!(known_person(&people[0].id, &people), Ok(()));
        let refused = known_person("nobody", &people).unwrap_err();
        assert!(
            refused.contains("\"nobody\"") && refused.contains(&people[0].id),
            "{refused}"
        );
    }
}
