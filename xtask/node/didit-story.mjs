// Didit's tools by the official clients: one KYC from workflow to webhook, over HTTP with a sign-in and over stdio.

import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { Client as Client2, StreamableHTTPClientTransport as Http2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as Stdio2 } from "@modelcontextprotocol/client/stdio";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as Stdio1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as Http1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

import { binary, startDev, temporaryFolder } from "./dev-server.mjs";
import { walk } from "./didit-walk.mjs";
import { MemoryProvider } from "./memory-provider.mjs";
import { atEnd, check, equal, tell } from "./story.mjs";

/** Who works, and who may only read; of the same organisation. */
const PEOPLE = ["adam", "rita"];

/** How long one run of another program may take: milliseconds. */
const RUN_LIMIT = 120_000;

/** The Inspector's program, and the Node that runs this. */
const INSPECTOR = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js";

const told = { name: "didit-story", version: "1.0.0" };

/** What another program writes; the way it ends is part of the result. */
function run(program, args, env) {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: RUN_LIMIT, maxBuffer: 16 * 1024 * 1024 };
    execFile(program, args, options, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
  });
}

/** Starts the sandbox alone; returns the environment with which `mcp-server stdio` acts as each person there. */
async function startSandbox() {
  const child = spawn(process.env.SANDBOX, [], { stdio: ["ignore", "pipe", "inherit"] });
  atEnd(() => child.kill());
  process.once("exit", () => child.kill("SIGKILL"));
  const environments = {};
  let person;
  for await (const line of createInterface({ input: child.stdout })) {
    person = line.match(/^# as (\w+)/)?.[1].toLowerCase() ?? person;
    const [, address, credential] = line.match(/(http:\S+) (\S+)$/) ?? [];
    if (credential === undefined) continue;
    environments[person] = {
      DIDIT_ACCESS_TOKEN: credential,
      DIDIT_AUTH_BASE_URL: `${address}/auth/v2`,
      DIDIT_API_BASE_URL: `${address}/v3`,
      MCP_DANGEROUS_ALLOW_LOOPBACK: "true",
      RUST_LOG: "error",
    };
    if (PEOPLE.every((id) => id in environments)) break;
  }
  return environments;
}

/** A connection of one of the two SDKs, which are called in the same way. */
function connection(client, call) {
  return {
    names: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: (name, args) => call({ name, arguments: args }),
  };
}

const sdks = {
  "TypeScript 1": {
    Http: Http1,
    Stdio: Stdio1,
    async connect(transport) {
      const client = new Client1(told);
      await client.connect(transport);
      atEnd(() => client.close());
      return connection(client, (params) => client.callTool(params));
    },
  },
  "TypeScript 2": {
    Http: Http2,
    Stdio: Stdio2,
    async connect(transport) {
      const client = new Client2(told, { versionNegotiation: { mode: "auto" } });
      await client.connect(transport);
      atEnd(() => client.close());
      equal(client.getNegotiatedProtocolVersion(), "2026-07-28", "TypeScript 2 speaks the newest revision");
      return connection(client, (params) => client.callTool(params));
    },
  },
};

/** Signs in by the SDK's own doing and connects. */
async function signedIn({ Http, connect }, server) {
  const authProvider = new MemoryProvider();
  const open = () => new Http(new URL(server.mcp_url), { authProvider });
  const first = open();
  const refused = await connect(first).then(() => undefined, (error) => error);
  check(refused !== undefined && authProvider.answer !== undefined, "the client signs in by itself", String(refused));
  const answer = authProvider.answer.searchParams;
  await first.finishAuth(answer.get("code"), answer.get("iss"));
  return { connection: await connect(open()), token: authProvider.tokens().access_token };
}

/** The Inspector's command line, which connects anew for every request. */
function inspector(target, folder, env) {
  const ask = async (...args) => {
    const words = [INSPECTOR, "--cli", "-q", "--format", "json", "--protocol-era", "auto", ...args, ...target];
    const ended = await run(process.execPath, words, { MCP_CATALOG_PATH: join(folder, "catalog.json"), ...env });
    // What a tool refuses is written like any result; the program then ends with 5.
    if (ended.code !== 0 && ended.code !== 5) throw new Error(`the Inspector ended with ${ended.code}: ${ended.stderr}`);
    return ended.stdout;
  };
  return {
    ask,
    names: async () => JSON.parse(await ask("--method", "tools/list")).result.tools.map((tool) => tool.name),
    call: async (name, args) => {
      const json = JSON.stringify(args);
      return JSON.parse(await ask("--method", "tools/call", "--tool-name", name, "--tool-args-json", json)).result;
    },
  };
}

/** The skills, with the Inspector's own checks of entries and digests. */
async function skills(name, { ask }) {
  const reports = (await ask("--method", "skills/list", "--verify", "--require-digests")).trim().split("\n");
  equal(reports.length, 3, `${name}: three skills pass the Inspector's checks`);
}

await tell("Didit's tools by the official clients", async () => {
  const folder = await temporaryFolder("didit-story");
  const [environments, ...servers] = await Promise.all([
    startSandbox(),
    ...PEOPLE.map((id) => startDev("--auto-consent", id)),
  ]);
  const lanes = [];
  let tokens;
  for (const [name, sdk] of Object.entries(sdks)) {
    const [person, reader] = await Promise.all(servers.map((server) => signedIn(sdk, server)));
    tokens ??= [person.token, reader.token];
    lanes.push(walk(`${name} over HTTP`, true, { person: person.connection, reader: reader.connection }));
    const piped = PEOPLE.map((id) =>
      sdk.connect(new sdk.Stdio({ command: binary(), args: ["stdio"], env: environments[id] })),
    );
    const [own, other] = await Promise.all(piped);
    lanes.push(walk(`${name} over stdio`, false, { person: own, reader: other }));
  }

  const [http, httpReader] = servers.map((server, at) =>
    inspector(["--transport", "http", "--header", `Authorization: Bearer ${tokens[at]}`, "--server-url", server.mcp_url], folder),
  );
  const [stdio, stdioReader] = PEOPLE.map((id) => {
    const env = Object.entries(environments[id]).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    return inspector([...env, binary(), "stdio"], folder);
  });
  const inspected = async (name, overHttp, person, reader) => {
    await walk(name, overHttp, { person, reader, brief: true });
    await skills(name, person);
  };
  lanes.push(inspected("Inspector over HTTP", true, http, httpReader));
  lanes.push(inspected("Inspector over stdio", false, stdio, stdioReader));

  if (process.env.PYTHON) {
    const python = async (over, targets) => {
      const steps = new URL("didit-steps.json", import.meta.url).pathname;
      const ended = await run(process.env.PYTHON, [process.env.PYTHON_PROGRAM, steps, ...targets], environments.adam);
      process.stdout.write(ended.stdout);
      equal(ended.code, 0, `Python over ${over}: to the end`);
    };
    lanes.push(python("HTTP", servers.map((server) => server.mcp_url)));
    lanes.push(python("stdio", [binary(), environments.rita.DIDIT_ACCESS_TOKEN]));
  }
  await Promise.all(lanes);
});
