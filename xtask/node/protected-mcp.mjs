// An MCP server in front of which a small guard stands, as far as our client has to get along with it.
//
// It checks tokens with the `jose` library, so that what our client sends is judged by code that is not ours.

import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Readable } from "node:stream";

import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { calculateJwkThumbprint, createRemoteJWKSet, EmbeddedJWK, jwtVerify } from "jose";
import { z } from "zod";

import { atEnd } from "./story.mjs";

/** What a token must allow to be let in, and to call `write_note`. */
export const READ = "mcp:read";
export const WRITE = "mcp:write";

/** How long access tokens live, at every server of the story: seconds. */
export const TOKEN_SECONDS = 10;

/** How far the clock of a proof may be off: seconds. */
const PROOF_WINDOW = 60;

const text = (words) => ({ content: [{ type: "text", text: String(words) }] });

function newServer() {
  const server = new McpServer({ name: "protected", version: "1.0.0" });
  server.registerTool("read_note", { description: "Reads.", inputSchema: z.object({}) }, () => text("a note"));
  server.registerTool("write_note", { description: "Writes.", inputSchema: z.object({}) }, () => text("written"));
  return server;
}

/** Takes a port of this machine and answers by `handle` once that is set. */
export async function occupy() {
  const place = { handle: undefined, origin: undefined };
  const http = createServer((request, response) => {
    Promise.resolve(place.handle(request, response)).catch((error) => {
      console.log(`  while answering ${request.method} ${request.url}: ${error.stack ?? error}`);
      response.destroy();
    });
  });
  await new Promise((done, failed) => http.once("error", failed).listen(0, "127.0.0.1", done));
  atEnd(() => {
    http.closeAllConnections();
    http.close();
  });
  place.origin = `http://127.0.0.1:${http.address().port}`;
  return place;
}

/** The whole body of a request. */
export async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function answer(response, status, body, headers = {}) {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers });
  response.end(body === undefined ? "" : JSON.stringify(body));
}

/** Which scope the message in this body needs. */
export function needed(body) {
  const message = JSON.parse(body.toString() || "{}");
  return message.method === "tools/call" && message.params?.name === "write_note" ? WRITE : READ;
}

/** Hands a request whose body was read on to the official SDK. */
export function mcp() {
  const handler = createMcpHandler(newServer);
  return async (request, response, body) => {
    const { method, headers } = request;
    const url = new URL(request.url, `http://${headers.host}`);
    const answered = await handler.fetch(new Request(url, { method, headers, body: method === "POST" ? body : undefined }));
    response.writeHead(answered.status, Object.fromEntries(answered.headers));
    if (answered.body === null) return response.end();
    Readable.fromWeb(answered.body).on("error", () => response.destroy()).pipe(response);
  };
}

/** Refuses a request with a challenge. */
class Refused extends Error {
  constructor(status, scheme, params, headers = {}) {
    super(JSON.stringify(params));
    Object.assign(this, { status, scheme, params, headers });
  }
}

/**
 * Serves at `place`, for tokens that `issuer` signed for it.
 *
 * `bound` demands proofs of possession with a nonce of this server; `seen` counts what was accepted by scheme.
 */
export function protect(place, issuer, { bound = false } = {}) {
  const resource = `${place.origin}/mcp`;
  const metadata = `${place.origin}/.well-known/oauth-protected-resource/mcp`;
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  const seen = { Bearer: 0, DPoP: 0, nonces: 0, tokens: new Set() };
  const proofs = new Set();
  let nonce = randomBytes(16).toString("hex");
  const serve = mcp();

  async function authorize(request, body) {
    const [scheme, token] = (request.headers.authorization ?? "").split(" ");
    const wanted = bound ? "DPoP" : "Bearer";
    if (token === undefined) throw new Refused(401, wanted, { scope: READ });
    if (scheme !== wanted) throw new Refused(401, wanted, { error: "invalid_token", error_description: "wrong scheme" });
    const { payload } = await jwtVerify(token, keys, { issuer, audience: resource, typ: "at+jwt" }).catch((error) => {
      throw new Refused(401, wanted, { error: "invalid_token", error_description: error.code });
    });
    if (bound) await prove(request, token, payload.cnf?.jkt);
    const scope = needed(body);
    if (!(payload.scope ?? "").split(" ").includes(scope)) {
      throw new Refused(403, wanted, { error: "insufficient_scope", scope });
    }
    seen[wanted] += 1;
    seen.tokens.add(token);
  }

  async function prove(request, token, jkt) {
    const refuse = (why) => new Refused(401, "DPoP", { error: "invalid_dpop_proof", error_description: why });
    const proof = request.headers.dpop;
    if (proof === undefined) throw refuse("missing");
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: "dpop+jwt" }).catch((error) => {
      throw refuse(error.code);
    });
    if (payload.nonce !== nonce) {
      seen.nonces += 1;
      throw new Refused(401, "DPoP", { error: "use_dpop_nonce" }, { "dpop-nonce": nonce });
    }
    const holds = {
      htm: payload.htm === request.method,
      htu: payload.htu === resource,
      ath: payload.ath === createHash("sha256").update(token).digest("base64url"),
      iat: Math.abs(payload.iat - Date.now() / 1000) <= PROOF_WINDOW,
      jkt: jkt !== undefined && (await calculateJwkThumbprint(protectedHeader.jwk)) === jkt,
      jti: !proofs.has(payload.jti),
    };
    const broken = Object.keys(holds).filter((name) => !holds[name]);
    if (broken.length > 0) throw refuse(broken.join(" "));
    proofs.add(payload.jti);
  }

  place.handle = async (request, response) => {
    if (request.url === "/.well-known/oauth-protected-resource/mcp") {
      const described = { resource, authorization_servers: [issuer], scopes_supported: [READ, WRITE] };
      return answer(response, 200, bound ? { ...described, dpop_bound_access_tokens_required: true } : described);
    }
    if (request.url !== "/mcp") return answer(response, 404, {});
    const body = await read(request);
    try {
      await authorize(request, body);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const params = Object.entries({ resource_metadata: metadata, ...error.params });
      const challenge = `${error.scheme} ${params.map(([name, value]) => `${name}="${value}"`).join(", ")}`;
      return answer(response, error.status, {}, { "www-authenticate": challenge, ...error.headers });
    }
    if (bound && seen.DPoP % 2 === 0) {
      // A nonce may change at any answer, and the next proof has the new one.
      nonce = randomBytes(16).toString("hex");
    }
    if (bound) response.setHeader("dpop-nonce", nonce);
    return serve(request, response, body);
  };
  return { url: resource, seen };
}
