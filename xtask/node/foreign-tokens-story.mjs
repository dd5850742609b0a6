// The axum example, as it is, in front of tokens that are not ours: those of `oidc-provider`, JWTs and opaque ones.

import { protectedApi } from "./protected-api.mjs";
import { occupy } from "./protected-mcp.mjs";
import { check, contains, equal, eventually, tell } from "./story.mjs";
import { provableKey, provideTokens, READ, WRITE } from "./token-provider.mjs";

/** The APIs, by the names that their tokens are for. */
const JWT = "https://jwt.example/";
const OPAQUE = "https://opaque.example/";
const OTHER = "https://other.example/";
const OTHER_JWT = "https://other-jwt.example/";

/** One request, the status to expect, and, where it is refused, a part of the line in the log. */
async function expect(what, answer, status, why) {
  const { status: received, why: reason, text } = await answer;
  const seen = `expected ${status} ${why ?? ""}\n  received ${received} ${reason ?? text}`;
  check(received === status && (why === undefined ? reason === undefined : reason.includes(why)), what, seen);
  return answer;
}

/** Asks until the answer is another one than 200, as it becomes when the token ends. */
async function ended(what, send) {
  return eventually(what, async () => {
    const answer = await send();
    return answer.status === 200 ? undefined : answer;
  });
}

/** What is the same whatever the tokens look like; `words` of the log where they differ. Returns a token that is good. */
async function walk(api, server, stranger, other, words) {
  const reading = await server.token(api.resource, READ);
  const writing = await server.token(api.resource, `${READ} ${WRITE}`);
  const short = await server.token(api.resource, READ, { short: true });
  const elsewhere = await server.token(other, READ);
  const foreign = await stranger.token(api.resource, READ);
  const key = await provableKey();
  const bound = await server.token(api.resource, READ, { key });

  const nobody = await expect("without a token: 401", api.send("GET"), 401, "no access token");
  check(!nobody.challenge.includes("error="), "without an error, since nothing was wrong", nobody.challenge);
  const [, metadata] = nobody.challenge.match(/resource_metadata="([^"]+)"/);
  const document = await fetch(new URL(new URL(metadata).pathname, api.origin));
  const { resource, authorization_servers } = await document.json();
  equal([resource, authorization_servers], [api.resource, [server.issuer]], "the challenge leads to the metadata, and on to the issuer");

  const { text } = await expect("a token that may read reads", api.send("GET", reading), 200);
  equal(text, `${server.person} may GET notes\n`, "in the name of its person");
  const lacking = await expect("it does not write: 403", api.send("POST", reading), 403, `does not hold "${WRITE}"`);
  contains(lacking.challenge, `error="insufficient_scope"`, "with the error");
  contains(lacking.challenge, `scope="${WRITE}"`, "and the scope that is missing");
  await expect("one that may write writes", api.send("POST", writing), 200);
  await expect("a token for another API: 401", api.send("GET", elsewhere), 401, `aud is "${other}"`);
  await expect("a token of another issuer: 401", api.send("GET", foreign), 401, words.foreign);
  await expect("a changed token: 401", api.send("GET", `${reading.slice(0, -4)}AAAA`), 401, words.changed);

  await expect("a bound token as Bearer: 401", api.send("GET", bound), 401, "bound to a key (cnf.jkt) and was sent as Bearer");
  await expect("with its proof: 200", api.send("GET", bound, { key }), 200);
  const proof = await key.prove("GET", api.address, bound);
  await expect("with a proof of one's own: 200", api.send("GET", bound, { proof }), 200);
  await expect("with the same proof again: 401", api.send("GET", bound, { proof }), 401, "used before");
  const thief = await provableKey();
  await expect("with the proof of another key: 401", api.send("GET", bound, { key: thief }), 401, "another key");
  const moved = await key.prove("GET", `${OTHER}notes`, bound);
  await expect("with a proof for another API: 401", api.send("GET", bound, { proof: moved }), 401, "another address");
  await expect("an unbound token with a proof: 401", api.send("GET", reading, { key }), 401, "not bound");

  const late = await ended("a token expires", () => api.send("GET", short));
  await expect("an expired token: 401", late, 401, words.expired);
  return reading;
}

await tell("the axum example and the tokens of oidc-provider", async () => {
  const formats = { [JWT]: "jwt", [OPAQUE]: "opaque", [OTHER]: "opaque", [OTHER_JWT]: "jwt" };
  const server = await provideTokens(await occupy(), formats);
  // Another one that issues tokens for the same names, and that nobody trusts.
  const stranger = await provideTokens(await occupy(), formats);

  console.log("  JWTs, with the keys that the provider's metadata leads to");
  const jwt = await protectedApi(JWT, server.issuer);
  const old = await walk(jwt, server, stranger, OTHER_JWT, {
    foreign: `iss is "${stranger.issuer}", which is not trusted`,
    changed: "signature",
    expired: "expired",
  });
  equal(server.asked, 0, "nobody was asked about any of them");
  await expect("an opaque token: 401", jwt.send("GET", await server.token(OTHER, READ)), 401, "not a JWT");
  await server.rotate();
  const fresh = await server.token(JWT, READ);
  await expect("a token of a new key is good: its key is fetched", jwt.send("GET", fresh), 200);
  await expect("and one of the old key still is", jwt.send("GET", old), 200);

  console.log("  opaque tokens, about which it asks");
  const asking = await protectedApi(OPAQUE, server.issuer, {
    INTROSPECTION_ENDPOINT: server.introspection,
    CLIENT_ID: server.api.client_id,
    CLIENT_SECRET: server.api.client_secret,
  });
  await walk(asking, server, stranger, OTHER, {
    foreign: "not active",
    changed: "not active",
    expired: "not active",
  });
  await expect("a JWT, about which the provider does not answer: 401", asking.send("GET", old), 401, "not active");
  const count = server.asked;
  const again = await server.token(OPAQUE, READ);
  for (let request = 0; request < 5; request += 1) {
    equal((await asking.send("GET", again)).status, 200, "a token that comes again is good");
  }
  equal(server.asked, count + 1, "and was asked about once");

  await server.revoke(again);
  const gone = await ended("a revoked token ends", () => asking.send("GET", again));
  await expect("a revoked token: 401, once the answer is asked for anew", gone, 401, "not active");
  const unseen = await server.token(OPAQUE, READ);
  await server.revoke(unseen);
  await expect("one that was revoked before it came: 401 at once", asking.send("GET", unseen), 401, "not active");

  console.log("  while the provider does not answer");
  const waiting = await server.token(OPAQUE, READ);
  server.vanish();
  const outage = await expect("a token nobody can be asked about: 503", asking.send("GET", waiting), 503, "cannot be asked");
  check(outage.challenge === "" && Number(outage.retryAfter) >= 1, "with a time to come again, and no challenge", JSON.stringify(outage));
  contains(asking.errors(), `no answer of ${server.issuer}`, "and a line for the operator that says why");
  await expect("a JWT, whose key is known: 200", jwt.send("GET", old), 200);
});
