// The authorization server `oidc-provider`, as one that serves APIs: JWTs for some, opaque tokens for others.

import { createHash, randomBytes, randomUUID } from "node:crypto";

import { exportJWK, generateKeyPair, SignJWT } from "jose";
import Provider, { errors } from "oidc-provider";

import { agreeing, newKey, PERSON } from "./foreign-provider.mjs";
import { visit } from "./visitor.mjs";

/** What an API's tokens may allow. */
export const READ = "notes:read";
export const WRITE = "notes:write";

/** How long a token is good, and one that is meant to expire in the story: seconds. */
const LONG = 600;
const SHORT = 1;

/** The application that asks for tokens; nothing listens at its address. */
const APP = "app";
const CALLBACK = "http://127.0.0.1/callback";

const digest = (text) => createHash("sha256").update(text).digest("base64url");

/**
 * Serves at `place`; `formats` says for each API whether its tokens are `jwt` or `opaque`.
 *
 * `api` may ask about tokens, and `asked` counts how often it did.
 */
export async function provideTokens(place, formats) {
  const issuer = place.origin;
  const api = { client_id: "api", client_secret: randomBytes(24).toString("base64url") };
  const served = { issuer, api, introspection: `${issuer}/token/introspection`, asked: 0 };
  let lifetime = LONG;
  // The second is what it demands of a provider for ID tokens, which nobody asks for here.
  let keys = [await newKey("ES256", "first"), await newKey("RS256")];

  function start() {
    const provider = new Provider(issuer, {
      jwks: { keys },
      cookies: { keys: [randomBytes(16).toString("hex")] },
      clientAuthMethods: ["none", "client_secret_basic"],
      clients: [
        {
          client_id: APP,
          application_type: "native",
          redirect_uris: [CALLBACK],
          grant_types: ["authorization_code"],
          response_types: ["code"],
          token_endpoint_auth_method: "none",
        },
        { ...api, redirect_uris: [], grant_types: [], response_types: [] },
      ],
      ttl: {
        AccessToken: (_, token) => token.resourceServer.accessTokenTTL,
        ...Object.fromEntries(["AuthorizationCode", "Grant", "Interaction", "Session"].map((name) => [name, LONG])),
      },
      findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
      interactions: { url: (_, { uid }) => `/interaction/${uid}` },
      features: {
        devInteractions: { enabled: false },
        // Whoever may ask at all may ask about each token: it serves the APIs of one house.
        introspection: { enabled: true, allowedPolicy: (_, client) => client.clientId === api.client_id },
        revocation: { enabled: true, allowedPolicy: (_, client, token) => client.clientId === token.clientId },
        dPoP: { enabled: true },
        resourceIndicators: {
          enabled: true,
          useGrantedResource: () => true,
          getResourceServerInfo(_, indicator) {
            const accessTokenFormat = formats[indicator];
            if (accessTokenFormat === undefined) throw new errors.InvalidTarget();
            return {
              scope: `${READ} ${WRITE}`,
              audience: indicator,
              accessTokenTTL: lifetime,
              accessTokenFormat,
              jwt: { sign: { alg: "ES256" } },
            };
          },
        },
      },
    });
    provider.on("server_error", (_, error) => console.log(`  the provider: ${error.stack ?? error}`));
    const handle = agreeing(provider);
    place.handle = (request, response) => {
      served.asked += request.url === "/token/introspection" ? 1 : 0;
      return handle(request, response);
    };
  }
  start();

  /** Starts anew with another key in front; those from before stay in the set. */
  served.rotate = async () => {
    keys = [await newKey("ES256", "second"), ...keys];
    start();
  };

  /** Answers nobody any more. */
  served.vanish = () => {
    place.handle = (_, response) => response.destroy();
  };

  /** Has the person sign in and agree, and redeems the code; bound to `key`, if there is one. */
  served.token = async (resource, scope, { key, short = false } = {}) => {
    lifetime = short ? SHORT : LONG;
    const verifier = randomBytes(32).toString("base64url");
    const question = new URL(`${issuer}/auth`);
    question.search = new URLSearchParams({
      client_id: APP,
      response_type: "code",
      redirect_uri: CALLBACK,
      code_challenge: digest(verifier),
      code_challenge_method: "S256",
      scope,
      resource,
    });
    const { address } = await visit(question, { until: CALLBACK });
    const code = address.searchParams.get("code");
    if (code === null) throw new Error(`no code: ${address}`);
    const response = await fetch(`${issuer}/token`, {
      method: "POST",
      headers: key === undefined ? {} : { dpop: await key.prove("POST", `${issuer}/token`) },
      body: new URLSearchParams({
        grant_type: "authorization_code",
        client_id: APP,
        redirect_uri: CALLBACK,
        code_verifier: verifier,
        code,
      }),
    });
    const answer = await response.json();
    if (answer.access_token === undefined) throw new Error(`no token: ${JSON.stringify(answer)}`);
    return answer.access_token;
  };

  served.revoke = async (token) => {
    const body = new URLSearchParams({ client_id: APP, token });
    const response = await fetch(`${issuer}/token/revocation`, { method: "POST", body });
    if (response.status !== 200) throw new Error(`not revoked: ${response.status} ${await response.text()}`);
  };

  served.person = PERSON;
  return served;
}

/** A key whose possession can be proved. */
export async function provableKey() {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwk = await exportJWK(publicKey);
  return {
    /** A proof for one request, and for the token that it carries. */
    prove: (htm, htu, token) =>
      new SignJWT({ htm, htu, jti: randomUUID(), ...(token !== undefined && { ath: digest(token) }) })
        .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk })
        .setIssuedAt()
        .sign(privateKey),
  };
}
