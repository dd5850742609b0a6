//! What `mcp-server serve` costs: its list and its calls beside the least that they can cost, callers
//! with one token and with many, a search over many applications, and the process itself.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::compare::{self, Beside, Comparison, middle, sorted};
use super::load::{Load, Request};
use super::server::{Program, Server};
use super::{CONNECTIONS, requests};
use crate::Outcome;
use crate::process::Step;
use crate::workspace::Workspace;

/// How many different tokens there are where there are many: as many answers about tokens as are kept.
const TOKENS: usize = 10_000;

/// How many applications are searched, how long each takes to answer, and how many are asked at once.
const APPLICATIONS: usize = 100;
const DELAY: Duration = Duration::from_millis(20);
const AT_ONCE: usize = 8;

/// How often the search is made.
const SEARCHES: usize = 11;

/// How often the server is started.
const STARTS: usize = 21;

/// How long the server is left alone before its memory is looked at.
const REST: Duration = Duration::from_secs(1);

/// Measures, and writes the tables.
pub(super) fn run(workspace: &Workspace, calls: usize) -> Outcome<String> {
    let mut report = beside_bare(workspace)?;
    let _infallible = writeln!(report, "\n{}", callers(workspace)?);
    let _infallible = writeln!(report, "{}", search(workspace)?);
    report.push_str(&process(workspace, calls)?);
    Ok(report)
}

/// The stand-in for Didit and the issuer, which runs beside the load.
struct Upstream(Server);

impl Upstream {
    fn start(workspace: &Workspace, applications: usize, delay: Duration) -> Outcome<Self> {
        let (applications, delay) = (applications.to_string(), delay.as_millis().to_string());
        let arguments = ["upstream", applications.as_str(), delay.as_str()];
        Program::of(workspace, "bench-didit", &arguments)
            .start_aside()
            .map(Self)
    }

    /// `mcp-server serve` for it, as it is installed: defaults, but for the addresses.
    fn served(&self, workspace: &Workspace) -> Program {
        let upstream = format!("http://127.0.0.1:{}", self.0.port);
        let settings = [
            "listen.port=0".to_owned(),
            "resource.uri=http://localhost/mcp".to_owned(),
            format!("issuer.origin={upstream}"),
            format!("tokens.introspection_url={upstream}/introspect/"),
            "tokens.client_id=bench".to_owned(),
            format!("didit.auth_base_url={upstream}/auth/v2"),
            format!("didit.api_base_url={upstream}/v3"),
            "didit.audience=https://didit.example".to_owned(),
            "didit.dangerous_allow_loopback=true".to_owned(),
        ];
        let step = Step::new(workspace.released("mcp-server")).args(&["serve", "--json"]);
        let step = settings
            .into_iter()
            .fold(step, |step, setting| step.arg("--set").arg(setting));
        Program::saying(step.env("MCP_OAUTH_CLIENT_SECRET", "bench"), port)
    }

    /// The bare proxy that asks it for this page.
    fn proxied(&self, workspace: &Workspace, path: &str) -> Program {
        let port = self.0.port.to_string();
        Program::of(workspace, "bench-didit", &["proxy", &port, path])
    }

    /// How often it was asked about tokens, and for anything else.
    fn asked(&self) -> Outcome<(u64, u64)> {
        let said = Load::open(self.0.port, 1)?.ask(&requests::page("/asked", None))?;
        let mut counts = said.split(' ').map(str::parse);
        match (counts.next(), counts.next()) {
            (Some(Ok(tokens)), Some(Ok(rest))) => Ok((tokens, rest)),
            _ => Err(format!("the stand-in says {said:?}")),
        }
    }
}

/// The port in the line that the server prints when it is ready.
fn port(line: &str) -> Option<u16> {
    #[derive(Deserialize)]
    struct Ready {
        address: String,
    }
    let ready: Ready = serde_json::from_str(line).ok()?;
    ready.address.rsplit_once(':')?.1.parse().ok()
}

/// A token as it is given out: opaque, of 43 characters.
fn token(number: usize) -> String {
    format!("bench-{number:037}")
}

fn context(token: &str) -> Request {
    requests::call("didit_context_get", json!({}), Some(token))
}

fn sessions(token: &str) -> Request {
    let place = json!({ "organization_id": "org-1", "application_id": "app-0" });
    requests::call("didit_session_list", place, Some(token))
}

const CONTEXT_PAGE: &str = "/auth/v2/organizations/me/org-1/applications/";
const SESSIONS_PAGE: &str = "/v3/organization/org-1/application/app-0/sessions/";

fn beside_bare(workspace: &Workspace) -> Outcome<String> {
    let upstream = Upstream::start(workspace, 1, Duration::ZERO)?;
    let token = token(0);
    let plain = requests::page("/", None);
    let mut table = compare::table("request with a token", "beside it");
    let comparisons = [
        Comparison {
            name: "`tools/list` of everything, beside bare hyper",
            ours: upstream.served(workspace),
            asked: requests::list(Some(&token)),
            bare_asked: requests::list(Some(&token)),
            beside: Beside::SameBody,
            requests: 2_000,
            counted: 160,
            bar: 1.3,
        },
        Comparison {
            name: "`didit_context_get`, beside a bare proxy",
            ours: upstream.served(workspace),
            asked: context(&token),
            bare_asked: plain.clone(),
            beside: Beside::Program(upstream.proxied(workspace, CONTEXT_PAGE)),
            requests: 4_000,
            counted: 400,
            bar: 3.0,
        },
        Comparison {
            name: "`didit_session_list`, beside a bare proxy",
            ours: upstream.served(workspace),
            asked: sessions(&token),
            bare_asked: plain,
            beside: Beside::Program(upstream.proxied(workspace, SESSIONS_PAGE)),
            requests: 4_000,
            counted: 400,
            bar: 3.0,
        },
    ];
    for comparison in &comparisons {
        comparison.run(workspace, &mut table)?;
    }
    Ok(table)
}

/// Makes the request of the bearer of a token.
type Asks = fn(&str) -> Request;

/// One token, many that were never seen, and the same once more.
fn callers(workspace: &Workspace) -> Outcome<String> {
    let kinds: [(&str, Asks); 3] = [
        ("`tools/list` of everything", |token| {
            requests::list(Some(token))
        }),
        ("`didit_context_get`", context),
        ("`didit_session_list`", sessions),
    ];
    let mut table = String::from(
        "| request | tokens | requests | CPU, µs | questions about tokens | calls to Didit |\n|---|---|---|---|---|---|\n",
    );
    for (name, request) in kinds {
        let upstream = Upstream::start(workspace, 1, Duration::ZERO)?;
        let server = upstream.served(workspace).start()?;
        let mut load = Load::open(server.port, CONNECTIONS)?;
        let many: Vec<Request> = (1..=TOKENS).map(|n| request(&token(n))).collect();
        let one = vec![request(&token(0)); TOKENS];
        is_answered(&load.ask(&request(&token(TOKENS + 1)))?)?;
        for (tokens, requests) in [
            ("one", &one),
            ("10,000, each new", &many),
            ("the same 10,000 again", &many),
        ] {
            let (about, otherwise) = upstream.asked()?;
            let before = server.cpu()?;
            let sent = load.run_each(requests)?.requests;
            let spent = super::per(server.cpu()?.saturating_sub(before), sent)?;
            let (about_now, otherwise_now) = upstream.asked()?;
            let _infallible = writeln!(
                table,
                "| {name} | {tokens} | {sent} | {:.1} | {} | {} |",
                spent / 1000.0,
                about_now - about,
                otherwise_now - otherwise,
            );
        }
    }
    Ok(table)
}

/// Refuses to measure failures: MCP tells them with the status of a success.
fn is_answered(answer: &str) -> Outcome {
    let read: Value = serde_json::from_str(answer).map_err(|error| error.to_string())?;
    match (read.get("result"), read.pointer("/result/isError")) {
        (Some(_), None | Some(Value::Bool(false))) => Ok(()),
        _ => Err(format!("the server answered {answer}")),
    }
}

/// A search over many applications, each of which takes its time.
fn search(workspace: &Workspace) -> Outcome<String> {
    let upstream = Upstream::start(workspace, APPLICATIONS, DELAY)?;
    let server = upstream.served(workspace).start()?;
    let mut load = Load::open(server.port, 1)?;
    let token = token(0);
    // What the person can reach is known before the clock runs.
    load.ask(&context(&token))?;
    let request = requests::call("didit_workflow_search", json!({}), Some(&token));
    let mut times = Vec::with_capacity(SEARCHES);
    for _ in 0..SEARCHES {
        let begun = Instant::now();
        let answer = load.ask(&request)?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
        let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        let scanned = answer.pointer("/result/structuredContent/scanned_apps");
        if scanned != Some(&APPLICATIONS.into()) {
            return Err(format!("the search looked at {scanned:?} applications"));
        }
    }
    let times = sorted(times.into_iter());
    let ideal = APPLICATIONS.div_ceil(AT_ONCE) as f64 * DELAY.as_secs_f64() * 1000.0;
    let end = |time: Option<&f64>| time.copied().unwrap_or_default();
    Ok(format!(
        "| search over {APPLICATIONS} applications | time, ms (least to most of {SEARCHES}) | ideal, ms | ratio | bar |\n\
         |---|---|---|---|---|\n\
         | `didit_workflow_search`, {} ms each, {AT_ONCE} at once | {:.1} ({:.1} to {:.1}) | {ideal:.0} | **{:.3}** | 1.15 |\n",
        DELAY.as_millis(),
        middle(&times),
        end(times.first()),
        end(times.last()),
        middle(&times) / ideal,
    ))
}

/// How soon it is ready, and how much memory it has.
fn process(workspace: &Workspace, calls: usize) -> Outcome<String> {
    let upstream = Upstream::start(workspace, 1, Duration::ZERO)?;
    let program = upstream.served(workspace);
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let begun = Instant::now();
        let server = program.start()?;
        Load::open(server.port, 1)?.ask(&requests::page("/healthz", None))?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    let times = sorted(times.into_iter());
    let server = program.start()?;
    let mut load = Load::open(server.port, CONNECTIONS)?;
    load.run(&requests::page("/healthz", None), CONNECTIONS)?;
    std::thread::sleep(REST);
    let idle = server.memory()?;
    let list = requests::list(Some(&token(0)));
    load.run(&list, CONNECTIONS)?;
    let listed = server.memory()?;
    let many: Vec<Request> = (1..=TOKENS).map(|n| sessions(&token(n))).collect();
    let sent = load.run_each(many.iter().cycle().take(calls))?.requests;
    std::thread::sleep(REST);
    let after = server.memory()?;
    let (about, _) = upstream.asked()?;
    let mebi = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
    let end = |time: Option<&f64>| time.copied().unwrap_or_default();
    Ok(format!(
        "| `mcp-server serve` | measured | bar |\n\
         |---|---|---|\n\
         | ready, ms from its start to the first 200 of `/healthz`, middle of {STARTS} | **{:.1}** ({:.1} to {:.1}) | 15 |\n\
         | memory, idle | **{:.1} MiB** | 12 MiB |\n\
         | memory, after the first `tools/list` | {:.1} MiB | |\n\
         | memory, after {sent} calls with {TOKENS} tokens ({about} questions about them) | **{:.1} MiB** | 20 MiB |\n",
        middle(&times),
        end(times.first()),
        end(times.last()),
        mebi(idle),
        mebi(listed),
        mebi(after),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_found_in_the_line() {
        let line = r#"{"address":"127.0.0.1:41337","resource":"http://localhost/mcp"}"#;
        assert_eq!(port(line), Some(41337));
        assert_eq!(port("41337"), None);
        assert_eq!(port("WARN not this"), None);
    }

    #[test]
    fn a_failure_is_no_answer() {
        assert_eq!(is_answered(r#"{"id":1,"result":{"tools":[]}}"#), Ok(()));
        for failure in [
            r#"{"id":1,"error":{"code":-32602,"message":"unknown tool"}}"#,
            r#"{"id":1,"result":{"content":[],"isError":true}}"#,
            "<html>",
        ] {
            assert!(is_answered(failure).is_err(), "{failure}");
        }
    }

    #[test]
    fn tokens_differ_and_are_as_long() {
        assert_ne!(token(1), token(TOKENS));
        assert_eq!((token(1).len(), token(TOKENS).len()), (43, 43));
    }
}
