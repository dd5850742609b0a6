// Our own client, in the 2026-07-28 era: sign in, call, outlive a token; by registration and by client ID document.

import { randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

import { peopleOfSandbox, personWithRole, startDev, temporaryFolder } from "./dev-server.mjs";
import { browser, client } from "./own-client.mjs";
import { atEnd, check, contains, equal, eventually, tell } from "./story.mjs";
import { idOf, rows, sessionId, value, workflowId } from "./tool-results.mjs";

/** How long an access token lives here: seconds. */
const TOKEN_SECONDS = 3;

/** The revision that our client and our server have in common and prefer. */
const REVISION = "2026-07-28";

/** What is the same however the client became known: from no grant to a call after the token expired. */
async function walk(server, loginArgs, expectedClient) {
  const url = server.mcp_url;
  const folder = await temporaryFolder("own-client-story");
  const store = join(folder, "grants.json");
  const kept = ["--store", store];

  const person = browser();
  const login = await client(["login", url, "--no-browser", ...kept, ...loginArgs], (text) => person.see(text));
  check(login.code === 0, "login succeeds", `exit code ${login.code}\n${login.out}${login.err}`);
  check(person.visit() !== undefined, "login printed the address to open", login.err);
  equal((await person.visit()).status, 200, "the browser ends on the client's own page");
  check(expectedClient(login.out), "login says as which client", login.out);
  equal((await stat(store)).mode & 0o777, 0o600, "the grants are in a file that only the user can read");

  const listing = await client(["tools", url, "--json", ...kept]);
  check(listing.code === 0, "tools succeeds", `exit code ${listing.code}\n${listing.out}${listing.err}`);
  contains(listing.err, REVISION, `the ${REVISION} revision was spoken`);
  const tools = JSON.parse(listing.out);
  check(tools.some((tool) => tool.name === "didit_session_create"), "didit_session_create is listed");

  const call = async (name, args) => {
    const done = await client(["call", url, name, JSON.stringify(args), ...kept]);
    check(done.code === 0, `call ${name} ends well`, `exit code ${done.code}\n${done.out}${done.err}`);
    const result = JSON.parse(done.out);
    return value("content" in result ? result : { structuredContent: result }, name);
  };
  const organization_id = idOf(rows(await call("didit_org_list", {}))[0]);
  const application_id = idOf(rows(await call("didit_org_list_applications", { organization_id }))[0]);
  const place = { organization_id, application_id };
  const workflow_id = workflowId(rows(await call("didit_workflow_list", place))[0]);
  const vendor_data = `own-story-${randomBytes(4).toString("hex")}`;
  const session_id = sessionId(await call("didit_session_create", { ...place, workflow_id, vendor_data }));
  const list = async () => rows(await call("didit_session_list", { ...place, vendor_data }));
  equal((await list()).map(sessionId), [session_id], "the new session is listed");
  await call("didit_session_update_status", { session_id, new_status: "Declined", comment: "seen by the story" });
  equal((await call("didit_session_get_decision", { session_id })).status, "Declined", "the decision shows the new status");

  // Every command above may have refreshed; here the token has expired for certain, and nobody is asked again.
  await expired();
  const after = browser();
  const again = await client(["call", url, "didit_session_list", JSON.stringify({ ...place, vendor_data }), ...kept], (text) =>
    after.see(text),
  );
  check(again.code === 0, "the call after the expiry succeeds", `exit code ${again.code}\n${again.out}${again.err}`);
  equal(after.visit(), undefined, "without asking the person again");
}

/** Scopes that are missing are asked for when a tool needs them, together with those that were there. */
async function stepUp(server) {
  const url = server.mcp_url;
  const kept = ["--no-browser", "--store", join(await temporaryFolder("own-client-story"), "grants.json")];
  const person = browser();
  const login = await client(["login", url, "--scope", "didit:verification", ...kept], (text) => person.see(text));
  check(login.code === 0, "login with one scope succeeds", login.err);
  const again = browser();
  const done = await client(["call", url, "didit_webhook_list", JSON.stringify(await place(url, kept)), ...kept], (text) => again.see(text));
  check(done.code === 0, "a tool of the other scope succeeds", `exit code ${done.code}\n${done.out}${done.err}`);
  check(again.visit() !== undefined, "after asking the person for it", done.err);
  const more = browser();
  const both = await client(["call", url, "didit_session_search", "{}", ...kept], (text) => more.see(text));
  check(both.code === 0, "and the scope that was there still is", both.err);
  equal(more.visit(), undefined, "without a further question");
}

/** One organisation and one application of the person, as arguments. */
async function place(url, kept) {
  const done = await client(["call", url, "didit_context_get", "{}", ...kept]);
  check(done.code === 0, "the context can be read with either scope", done.err);
  const [{ organization_id, applications }] = JSON.parse(done.out).organizations;
  return { organization_id, application_id: applications[0].application_id };
}

/** Waits until every token that was issued before now has expired. */
async function expired() {
  const from = Date.now();
  await eventually("the tokens expire", async () => (Date.now() - from > (TOKEN_SECONDS + 1) * 1000 ? true : undefined));
}

await tell(`our own client, ${REVISION}`, async () => {
  const person = personWithRole(await peopleOfSandbox(), "DEVELOPER", "OWNER");
  const server = await startDev("--access-token-seconds", String(TOKEN_SECONDS), "--auto-consent", person.id);

  console.log("  by dynamic registration");
  await walk(server, [], (text) => !text.includes("client.json"));

  console.log("  by client ID metadata document");
  let fetched = 0;
  const documents = createServer((request, response) => {
    const client_id = `http://${request.headers.host}/client.json`;
    if (request.url !== "/client.json") {
      response.writeHead(404).end();
      return;
    }
    fetched += 1;
    response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
    response.end(
      JSON.stringify({
        client_id,
        client_name: "Own client story",
        redirect_uris: ["http://127.0.0.1/callback"],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        token_endpoint_auth_method: "none",
      }),
    );
  });
  await new Promise((resolve, reject) => documents.once("error", reject).listen(0, "127.0.0.1", resolve));
  atEnd(() => documents.close());
  const clientId = `http://127.0.0.1:${documents.address().port}/client.json`;
  await walk(server, ["--client-id", clientId], (text) => text.includes(clientId));
  check(fetched > 0, "the authorization server fetched the document");

  console.log("  with more scopes later");
  await stepUp(server);
});
