// The authorization server `oidc-provider`, which is not ours, set up the way its documentation says.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, request as httpsRequest } from "node:https";

import { exportJWK, generateKeyPair } from "jose";
import Provider, { errors } from "oidc-provider";

import { READ, TOKEN_SECONDS, WRITE } from "./protected-mcp.mjs";
import { atEnd } from "./story.mjs";

/** What else it keeps, and for how long: seconds. */
const KEPT = ["AuthorizationCode", "Grant", "Interaction", "RefreshToken", "Session"];
const KEPT_SECONDS = 600;

/** The host of the client ID metadata document; no name server knows it. */
const CLIENT_HOST = "client.test";

/** Who signs in. */
export const PERSON = "ann";

/** A new key to sign with. */
export async function newKey(alg, kid = alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, use: "sig", alg };
}

/** `cert` and `key` are for a name that is reserved for tests, issued by `ca`, whose own key was thrown away. */
async function pem(name) {
  return readFile(new URL(`tls-${name}.pem`, import.meta.url));
}

/** Serves the document of our client over TLS, and counts who fetched it. */
export async function clientDocument() {
  const served = { fetched: 0, client_id: `https://${CLIENT_HOST}/client.json` };
  const document = {
    client_id: served.client_id,
    client_name: "Foreign servers story",
    application_type: "native",
    redirect_uris: ["http://127.0.0.1/callback"],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  const https = createServer({ cert: await pem("cert"), key: await pem("key") }, (request, response) => {
    served.fetched += 1;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(document));
  });
  await new Promise((done, failed) => https.once("error", failed).listen(0, "127.0.0.1", done));
  atEnd(() => https.close());
  const ca = await pem("ca");
  const { port } = https.address();
  /** The `fetch` of the provider: the name leads to this machine, and its certificate is checked against the test authority. */
  served.fetch = (address, options = {}) =>
    new Promise((done, failed) => {
      const url = new URL(address);
      if (url.host !== CLIENT_HOST) return failed(new Error(`nobody answers at ${url.host}`));
      const headers = Object.fromEntries(new Headers(options.headers));
      const asked = { host: "127.0.0.1", port, servername: CLIENT_HOST, ca, path: url.pathname, agent: false };
      const sent = httpsRequest({ ...asked, headers: { ...headers, host: CLIENT_HOST } }, async (response) => {
        const chunks = [];
        for await (const chunk of response) chunks.push(chunk);
        done(new Response(Buffer.concat(chunks), { status: response.statusCode, headers: response.headers }));
      });
      sent.once("error", failed).end();
    });
  return served;
}

/** The handler of a provider that signs the person in and agrees to everything, where its own pages would ask. */
export function agreeing(provider) {
  const serve = provider.callback();
  async function agree(request, response) {
    const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
    if (prompt.name === "login") {
      return provider.interactionFinished(request, response, { login: { accountId: PERSON } });
    }
    const grant =
      grantId === undefined
        ? new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
        : await provider.Grant.find(grantId);
    grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(" "));
    for (const [indicator, missing] of Object.entries(prompt.details.missingResourceScopes ?? {})) {
      grant.addResourceScope(indicator, missing.join(" "));
    }
    const consent = { grantId: await grant.save() };
    return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
  }
  return (request, response) =>
    request.url.startsWith("/interaction/") ? agree(request, response) : serve(request, response);
}

/**
 * Serves at `place` for one resource.
 *
 * `document` reads client ID metadata documents instead of registering clients; `bound` binds tokens to keys and wants nonces;
 * `pushed` wants authorization requests pushed. `granted` counts the tokens given out by the grant that they were given for.
 */
export async function provide(place, resource, { document, bound = false, pushed = false } = {}) {
  // Access tokens are signed with the one; the other is what it demands of a provider for ID tokens, which nobody asks for here.
  const keys = await Promise.all(["ES256", "RS256"].map((alg) => newKey(alg)));
  const granted = {};
  const scopes = [];
  const provider = new Provider(place.origin, {
    jwks: { keys },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    clientAuthMethods: ["none"],
    scopes: ["offline_access"],
    routes: { jwks: "/jwks" },
    ttl: { ...Object.fromEntries(KEPT.map((name) => [name, KEPT_SECONDS])), AccessToken: TOKEN_SECONDS },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    renderError(ctx, out, error) {
      console.log(`  the provider refuses: ${JSON.stringify(out)} ${error.error_detail ?? error.stack}`);
      ctx.type = "text";
      ctx.body = out.error;
    },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    ...(document && { fetch: document.fetch }),
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: document === undefined },
      clientIdMetadataDocument: { enabled: document !== undefined, ack: "draft-02" },
      dPoP: { enabled: bound, nonceSecret: randomBytes(32), requireNonce: () => bound },
      pushedAuthorizationRequests: { enabled: pushed, requirePushedAuthorizationRequests: pushed },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo(_, indicator) {
          if (indicator !== resource) throw new errors.InvalidTarget();
          return {
            scope: `${READ} ${WRITE}`,
            audience: resource,
            accessTokenFormat: "jwt",
            jwt: { sign: { alg: "ES256" } },
          };
        },
      },
    },
  });
  provider.on("grant.success", (ctx) => {
    const kind = ctx.oidc.params.grant_type;
    granted[kind] = (granted[kind] ?? 0) + 1;
  });
  provider.on("authorization.accepted", (ctx) => scopes.push(ctx.oidc.params.scope));
  provider.on("server_error", (_, error) => console.log(`  the provider: ${error.stack ?? error}`));

  place.handle = agreeing(provider);
  return { issuer: place.origin, granted, scopes };
}
