//! The runs: which SDK speaks with us, in which role, over what, in which revision.

/// One run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) sdk: Sdk,
    pub(crate) role: Role,
    pub(crate) transport: Transport,
    /// What has to be agreed on.
    pub(crate) revision: &'static str,
    /// The cases that are left out, and why.
    pub(crate) without: &'static [(&'static str, &'static str)],
}

/// An official SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sdk {
    Rust,
    TypeScript1,
    TypeScript2,
    Python,
}

/// What the SDK is; we are the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Http,
    Stdio,
}

/// Every SDK, in the order of the page.
pub(crate) const SDKS: [Sdk; 4] = [Sdk::Rust, Sdk::TypeScript1, Sdk::TypeScript2, Sdk::Python];

impl Sdk {
    /// How it is called in the name of a run.
    pub(crate) fn slug(self) -> &'static str {
        match self {
            Sdk::Rust => "rust",
            Sdk::TypeScript1 => "typescript-1",
            Sdk::TypeScript2 => "typescript-2",
            Sdk::Python => "python",
        }
    }

    /// What it is, and where its version is written down.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Sdk::Rust => "Rust: `rmcp` 3.x, version in `xtask/interop/rust/Cargo.lock`",
            Sdk::TypeScript1 => {
                "TypeScript: `@modelcontextprotocol/sdk` 1.x, version in `xtask/node/package.json`"
            }
            Sdk::TypeScript2 => {
                "TypeScript: `@modelcontextprotocol/client` and `@modelcontextprotocol/server` 2.x, versions in `xtask/node/package.json`"
            }
            Sdk::Python => "Python: `mcp` 2.x, version in `xtask/interop/python/requirements.txt`",
        }
    }
}

impl Run {
    /// As on the command line and on the page.
    pub(crate) fn name(&self) -> String {
        let role = match self.role {
            Role::Client => "client",
            Role::Server => "server",
        };
        let transport = match self.transport {
            Transport::Http => "http",
            Transport::Stdio => "stdio",
        };
        format!(
            "interop-{}-{role}-{transport}-{}",
            self.sdk.slug(),
            self.revision
        )
    }
}

const fn client(sdk: Sdk, transport: Transport, revision: &'static str) -> Run {
    Run {
        sdk,
        role: Role::Client,
        transport,
        revision,
        without: &[],
    }
}

const fn server(sdk: Sdk, transport: Transport, revision: &'static str) -> Run {
    Run {
        sdk,
        role: Role::Server,
        transport,
        revision,
        without: &[],
    }
}

impl Run {
    const fn without(self, without: &'static [(&'static str, &'static str)]) -> Self {
        Run { without, ..self }
    }
}

/// What the TypeScript SDK 1.x does otherwise than the specification of its revisions (tools and resources, error handling).
const TYPESCRIPT_1: &[(&str, &str)] = &[
    (
        "unknown tool",
        "the SDK answers with a result that says that the tool failed, where the specification has error -32602",
    ),
    (
        "unknown resource",
        "the SDK answers with error -32602, where the specification has -32002",
    ),
];

/// What the TypeScript SDK 2.x does otherwise than the revisions with a handshake.
const TYPESCRIPT_2_BEFORE_2026: &[(&str, &str)] = &[(
    "unknown resource",
    "the SDK answers with error -32602 of 2026-07-28, where the specification has -32002",
)];

/// Every run there is, in the order of the page.
pub(crate) const RUNS: [Run; 25] = [
    client(Sdk::Rust, Transport::Http, "2025-03-26"),
    client(Sdk::Rust, Transport::Http, "2025-06-18"),
    client(Sdk::Rust, Transport::Http, "2025-11-25"),
    client(Sdk::Rust, Transport::Http, "2026-07-28"),
    client(Sdk::Rust, Transport::Stdio, "2024-11-05"),
    client(Sdk::Rust, Transport::Stdio, "2025-11-25"),
    client(Sdk::Rust, Transport::Stdio, "2026-07-28"),
    server(Sdk::Rust, Transport::Http, "2025-11-25"),
    server(Sdk::Rust, Transport::Http, "2026-07-28"),
    server(Sdk::Rust, Transport::Stdio, "2025-11-25"),
    server(Sdk::Rust, Transport::Stdio, "2026-07-28"),
    client(Sdk::TypeScript1, Transport::Http, "2025-11-25"),
    client(Sdk::TypeScript1, Transport::Stdio, "2025-11-25"),
    server(Sdk::TypeScript1, Transport::Http, "2025-11-25").without(TYPESCRIPT_1),
    server(Sdk::TypeScript1, Transport::Stdio, "2025-11-25").without(TYPESCRIPT_1),
    client(Sdk::TypeScript2, Transport::Http, "2025-11-25"),
    client(Sdk::TypeScript2, Transport::Http, "2026-07-28"),
    client(Sdk::TypeScript2, Transport::Stdio, "2026-07-28"),
    server(Sdk::TypeScript2, Transport::Http, "2026-07-28"),
    server(Sdk::TypeScript2, Transport::Stdio, "2025-11-25").without(TYPESCRIPT_2_BEFORE_2026),
    server(Sdk::TypeScript2, Transport::Stdio, "2026-07-28"),
    client(Sdk::Python, Transport::Http, "2025-11-25"),
    client(Sdk::Python, Transport::Http, "2026-07-28"),
    client(Sdk::Python, Transport::Stdio, "2025-11-25"),
    client(Sdk::Python, Transport::Stdio, "2026-07-28"),
];
