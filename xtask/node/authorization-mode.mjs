// Runs the official suite's authorization mode against `mcp-server dev`, with the story as the person's browser.
// Usage: authorization-mode.mjs RESULTS_FOLDER; the suite's own command line is in CONFORMANCE.

import { spawn } from "node:child_process";
import { createServer } from "node:net";

import { peopleOfSandbox, personWithRole, startDev } from "./dev-server.mjs";
import { check, equal, tell } from "./story.mjs";
import { visit } from "./visitor.mjs";

/** A port that was free a moment ago; the suite wants to be told one. */
async function freePort() {
  const probe = createServer();
  await new Promise((resolve, reject) => probe.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

await tell("the official suite's authorization mode", async () => {
  const results = process.argv[2];
  if (!results) throw new Error("usage: authorization-mode.mjs RESULTS_FOLDER");
  const person = personWithRole(await peopleOfSandbox(), "DEVELOPER", "OWNER");
  const server = await startDev("--auto-consent", person.id);
  const port = await freePort();

  const metadata = await (await fetch(`${server.issuer}/.well-known/oauth-authorization-server`)).json();
  const registered = await fetch(metadata.registration_endpoint, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "Conformance suite",
      redirect_uris: [`http://127.0.0.1:${port}/callback`],
      grant_types: ["authorization_code"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    }),
  });
  equal(registered.status, 201, "the suite's client is registered");
  const { client_id } = await registered.json();

  const suite = spawn(
    process.execPath,
    [
      "node_modules/@modelcontextprotocol/conformance/dist/index.js",
      ...["authorization", "--url", server.issuer, "--client-id", client_id],
      ...["--resource", server.mcp_url, "-p", String(port), "-o", results],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  process.once("exit", () => suite.exitCode === null && suite.kill("SIGKILL"));
  let output = "";
  let visiting;
  const listen = (chunk) => {
    output += chunk;
    // The suite prints the authorization request and waits for somebody to open it.
    const address = output.match(/https?:\/\/\S+\?\S*response_type=code\S*(?=\s)/);
    if (address && !visiting) visiting = visit(address[0]);
  };
  suite.stdout.on("data", listen);
  suite.stderr.on("data", listen);
  const code = await new Promise((resolve, reject) => suite.once("exit", resolve).once("error", reject));
  check(visiting !== undefined, "the suite printed an authorization request", output);
  const { status, text } = await visiting;
  equal(status, 200, "the answer reached the suite");
  check(code === 0, "the suite is content", `exit code ${code}\n${output}\n${text.slice(0, 500)}`);
});
