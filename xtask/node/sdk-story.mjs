// The official TypeScript client, with its own OAuth code, from the first 401 to a call after its token expired.

import { randomBytes } from "node:crypto";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

import { peopleOfSandbox, personWithRole, startDev } from "./dev-server.mjs";
import { MemoryProvider } from "./memory-provider.mjs";
import { check, contains, equal, eventually, tell } from "./story.mjs";
import { idOf, rows, sessionId, value, workflowId } from "./tool-results.mjs";

/** How long an access token lives here: seconds. */
const TOKEN_SECONDS = 3;

/** The SDK's requests and their answers, for the assertions about the order of things. */
function recorder() {
  const seen = [];
  const fetchAndRecord = async (input, init) => {
    const response = await fetch(input, init);
    const url = new URL(input instanceof Request ? input.url : input);
    seen.push({
      method: init?.method ?? "GET",
      url: url.href,
      path: url.pathname,
      status: response.status,
      challenge: response.headers.get("www-authenticate"),
      form: init?.body instanceof URLSearchParams ? init.body : undefined,
    });
    return response;
  };
  return { seen, fetchAndRecord };
}

await tell("the official TypeScript client, 2025-11-25", async () => {
  const person = personWithRole(await peopleOfSandbox(), "DEVELOPER", "OWNER");
  const server = await startDev("--access-token-seconds", String(TOKEN_SECONDS), "--auto-consent", person.id);
  const provider = new MemoryProvider();
  const { seen, fetchAndRecord } = recorder();
  const open = () =>
    new StreamableHTTPClientTransport(new URL(server.mcp_url), { authProvider: provider, fetch: fetchAndRecord });

  // From the 401 to the authorization request, all of it the SDK's own doing.
  const first = open();
  const newClient = () => new Client({ name: "sdk-story", version: "1.0.0" });
  const refused = await newClient().connect(first).then(() => undefined, (error) => error);
  check(refused instanceof UnauthorizedError, "without a token the client is told to authorize", String(refused));
  equal([seen[0].method, seen[0].url, seen[0].status], ["POST", server.mcp_url, 401], "the first request is a 401");
  contains(seen[0].challenge, "resource_metadata=", "its challenge names the resource metadata");
  contains(seen[0].challenge, "scope=", "its challenge names the scopes");
  check(!seen[0].challenge.includes("error="), "its challenge has no error, since there was no token", seen[0].challenge);
  const paths = seen.map((one) => `${one.method} ${one.path} ${one.status}`);
  check(
    paths.includes("GET /.well-known/oauth-protected-resource/mcp 200"),
    "the resource metadata was read",
    paths.join("\n  "),
  );
  check(
    paths.includes("GET /.well-known/oauth-authorization-server 200"),
    "the authorization server's metadata was read",
    paths.join("\n  "),
  );
  check(typeof provider.client?.client_id === "string", "the client registered itself");
  equal(provider.client.client_secret, undefined, "a public client has no secret");
  const asked = provider.asked.searchParams;
  equal(provider.asked.origin, server.issuer, "the authorization endpoint is the issuer's");
  equal(asked.get("code_challenge_method"), "S256", "the challenge is S256");
  equal(asked.get("resource"), server.mcp_url, "the request names the MCP address as its resource");
  equal((asked.get("scope") ?? "").split(" ").sort(), ["didit:management", "didit:verification"], "both scopes are asked for");
  const answer = provider.answer.searchParams;
  equal(answer.get("state"), provider.sentState, "the answer carries the state");
  equal(answer.get("iss"), server.issuer, "the answer names the issuer");
  check((answer.get("code") ?? "").length >= 22, "the answer carries a code");

  await first.finishAuth(answer.get("code"));
  const granted = provider.tokens();
  equal(granted.token_type.toLowerCase(), "bearer", "the token is a bearer token");
  check(typeof granted.refresh_token === "string", "there is a refresh token");
  equal(granted.expires_in, TOKEN_SECONDS, "the token says how long it lives");

  // Calls.
  const client = newClient();
  await client.connect(open());
  const call = async (name, args) => value(await client.callTool({ name, arguments: args }), name);
  const { tools } = await client.listTools();
  for (const name of ["didit_session_create", "didit_session_list", "didit_session_update_status"]) {
    check(tools.some((tool) => tool.name === name), `${name} is listed`);
  }
  const organization_id = idOf(rows(await call("didit_org_list", {}))[0]);
  const application_id = idOf(rows(await call("didit_org_list_applications", { organization_id }))[0]);
  const place = { organization_id, application_id };
  const workflow_id = workflowId(rows(await call("didit_workflow_list", place))[0]);
  const vendor_data = `sdk-story-${randomBytes(4).toString("hex")}`;
  const created = await call("didit_session_create", { ...place, workflow_id, vendor_data });
  const session_id = sessionId(created);
  const listed = rows(await call("didit_session_list", { ...place, vendor_data }));
  equal(listed.map(sessionId), [session_id], "the new session is listed");
  equal(listed[0].vendor_data, vendor_data, "with the data that it was created with");
  await call("didit_session_update_status", { session_id, new_status: "Approved", comment: "seen by the story" });
  const decision = await call("didit_session_get_decision", { session_id });
  equal(decision.status, "Approved", "the decision shows the new status");

  // The token expires; the SDK refreshes by itself and calls again.
  const old = provider.tokens();
  const late = await eventually(
    "the old token is refused",
    async () => {
      const response = await fetch(server.mcp_url, {
        method: "POST",
        headers: {
          authorization: `Bearer ${old.access_token}`,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
      });
      await response.text();
      return response.status === 401 ? response : undefined;
    },
    90,
  );
  contains(late.headers.get("www-authenticate"), 'error="invalid_token"', "an expired token is an invalid token");
  const before = provider.savedTokens.length;
  const again = rows(await call("didit_session_list", { ...place, vendor_data }));
  equal(again.map(sessionId), [session_id], "the call after the expiry succeeds");
  equal(again[0].status, "Approved", "and sees the session as it was left");
  const refreshed = provider.tokens();
  check(provider.savedTokens.length > before, "the client was given new tokens");
  check(refreshed.access_token !== old.access_token, "the access token is another");
  check(refreshed.refresh_token !== old.refresh_token, "the refresh token was rotated");
  check(
    seen.some((one) => one.form?.get("grant_type") === "refresh_token" && one.status === 200),
    "by a refresh that the SDK made",
  );
  equal(provider.authorizations, 1, "the person was asked once");
  await client.close();
});
