// Our own client against servers that are not ours: it signs in, calls, refreshes and asks for more.

import { join } from "node:path";

import { browser, client } from "./own-client.mjs";
import { clientDocument, provide } from "./foreign-provider.mjs";
import { temporaryFolder } from "./dev-server.mjs";
import { oldServer } from "./old-server.mjs";
import { occupy, protect, READ, TOKEN_SECONDS, WRITE } from "./protected-mcp.mjs";
import { check, contains, equal, eventually, tell } from "./story.mjs";

/** How long before the end of a token our client renews it: seconds. */
const MARGIN_SECONDS = 5;

/** The same way at every server; `granted` and `scopes` are what the authorization server counted. */
async function walk({ url, granted, scopes }, loginArgs = []) {
  const kept = ["--no-browser", "--store", join(await temporaryFolder("foreign-servers"), "grants.json")];
  const person = browser();
  const login = await client(["login", url, ...loginArgs, ...kept], (text) => person.see(text));
  check(login.code === 0, "login succeeds", `exit code ${login.code}\n${login.out}${login.err}`);
  equal((await person.visit()).status, 200, "the browser ends on the client's own page");
  equal(granted.authorization_code, 1, "one code was redeemed");

  const run = async (tool, expected) => {
    const asked = browser();
    const done = await client(["call", url, tool, "{}", ...kept], (text) => asked.see(text));
    check(done.code === 0, `call ${tool} ends well`, `exit code ${done.code}\n${done.out}${done.err}`);
    contains(done.out, expected, `it answers ${expected}`);
    return asked.visit() !== undefined;
  };
  equal(await run("read_note", "a note"), false, "nobody is asked again");

  const before = granted.refresh_token ?? 0;
  await expired();
  equal(await run("read_note", "a note"), false, "an expired token is renewed without asking");
  equal(granted.refresh_token, before + 1, "by one refresh");
  equal(granted.authorization_code, 1, "and no second sign-in");

  check(!scopes.at(-1).split(" ").includes(WRITE), "so far nobody asked for more than reading", scopes.join(", "));
  equal(await run("write_note", "written"), true, "for more than was granted the person is asked");
  const asked = scopes.at(-1).split(" ");
  check(asked.includes(READ) && asked.includes(WRITE), "for what was there and what is missing", scopes.join(", "));
  equal(granted.authorization_code, 2, "once");
  equal(await run("read_note", "a note"), false, "and what was there is still there");
}

/** Waits until every token that was issued before now is so close to its end that our client renews it. */
async function expired() {
  const until = Date.now() + (TOKEN_SECONDS - MARGIN_SECONDS + 1) * 1000;
  await eventually("the tokens are about to end", async () => (Date.now() > until ? true : undefined));
}

/** An MCP server, and in front of it the provider with these settings. */
async function foreign(settings) {
  const [front, place] = [await occupy(), await occupy()];
  const { url, seen } = protect(front, place.origin, settings);
  return { url, seen, ...(await provide(place, url, settings)) };
}

await tell("our own client at servers that are not ours", async () => {
  console.log("  oidc-provider, by client ID metadata document over TLS, with DPoP and nonces");
  const document = await clientDocument();
  const bound = await foreign({ document, bound: true });
  await walk(bound, ["--client-id", document.client_id]);
  check(document.fetched > 0, "the provider fetched the document");
  check(bound.seen.DPoP > 0 && bound.seen.Bearer === 0, "every call proved possession", JSON.stringify(bound.seen));
  check(bound.seen.nonces > 0, "with nonces of the server");

  console.log("  oidc-provider, by registration only");
  await walk(await foreign({}));

  console.log("  oidc-provider, with requests that have to be pushed");
  await walk(await foreign({ pushed: true }));

  console.log("  a server of 2025-03-26, without any metadata");
  await walk(await oldServer());
});
