// Starts `mcp-server dev` for one story: free ports, a data folder of its own, and an end.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { atEnd } from "./story.mjs";

/** How long the server may take to say that it is ready, and to stop: milliseconds. */
const READY_LIMIT = 30_000;
const STOP_LIMIT = 5_000;

/** The binary under test, named by the program that runs the stories. */
export function binary() {
  const path = process.env.MCP_SERVER;
  if (!path) throw new Error("MCP_SERVER must name the mcp-server binary");
  return path;
}

/** A new empty folder that is removed when the story ends. */
export async function temporaryFolder(name) {
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts the server; `ready` is its line, `log` what it wrote for people, `stop` ends it. */
async function launch(more) {
  const data = await temporaryFolder("mcp-server-story");
  const child = spawn(
    binary(),
    ["dev", "--json", "--mcp-port", "0", "--auth-port", "0", "--sandbox-port", "0", "--data", data, ...more],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let text = "";
  child.stderr.on("data", (chunk) => {
    text = (text + chunk).slice(-20_000);
  });
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  const running = () => child.exitCode === null && child.signalCode === null;
  // The last resort, for a story that could not end properly.
  process.once("exit", () => running() && child.kill("SIGKILL"));
  const stop = async () => {
    if (!running()) return;
    child.kill("SIGTERM");
    const force = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT);
    await ended;
    clearTimeout(force);
  };
  let timer;
  const line = await new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error("the server did not say that it is ready")), READY_LIMIT);
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("error", reject);
    ended.then((how) => reject(new Error(`the server ended (${how}): ${text}`)));
  }).finally(() => clearTimeout(timer));
  return { ready: JSON.parse(line), log: () => text, stop };
}

/**
 * Starts the server for the length of the story and returns its ready line: mcp_url, issuer, sandbox_url, people.
 *
 * What the server logs is printed only when the story fails.
 */
export async function startDev(...more) {
  const server = await launch(more);
  atEnd(async (failed) => {
    await server.stop();
    if (failed) console.log(`  the server's log:\n${server.log()}`);
  });
  return server.ready;
}

/** Learns who is in the sandbox, which is the same at every start. */
export async function peopleOfSandbox() {
  const server = await launch([]);
  await server.stop();
  return server.ready.people;
}

/** Somebody of the sandbox with one of these roles in the first organisation. */
export function personWithRole(people, ...roles) {
  const person = roles.map((role) => people.find((one) => one.role === role)).find(Boolean);
  if (!person) throw new Error(`nobody has a role of ${roles}: ${JSON.stringify(people)}`);
  return person;
}
