// A server of the shape of MCP 2025-03-26: it is its own authorization server, at the addresses that a client has to guess.
//
// There is no metadata of any kind, the challenge names nothing, and tokens are opaque.

import { createHash, randomBytes } from "node:crypto";

import { answer, mcp, needed, occupy, read, READ, TOKEN_SECONDS } from "./protected-mcp.mjs";

const fresh = () => randomBytes(16).toString("base64url");

/** Starts one; `granted` counts the tokens given out by the grant that they were given for. */
export async function oldServer() {
  const place = await occupy();
  const [clients, codes, access, refresh] = [new Map(), new Map(), new Map(), new Map()];
  const granted = {};
  const scopes = [];
  const serve = mcp();

  function issue(kind, grant) {
    granted[kind] = (granted[kind] ?? 0) + 1;
    const [token, renewal] = [fresh(), fresh()];
    access.set(token, { ...grant, until: Date.now() + TOKEN_SECONDS * 1000 });
    refresh.set(renewal, grant);
    return { access_token: token, token_type: "bearer", expires_in: TOKEN_SECONDS, refresh_token: renewal, scope: grant.scope };
  }

  function authorize(url, response) {
    const { client_id, redirect_uri, code_challenge, code_challenge_method, state, scope = READ } = Object.fromEntries(url.searchParams);
    const there = clients.get(client_id)?.some((known) => sameButPort(known, redirect_uri));
    if (!there || code_challenge_method !== "S256") return answer(response, 400, { error: "invalid_request" });
    const code = fresh();
    scopes.push(scope);
    codes.set(code, { client_id, redirect_uri, code_challenge, scope });
    const back = new URL(redirect_uri);
    back.searchParams.set("code", code);
    if (state !== undefined) back.searchParams.set("state", state);
    response.writeHead(302, { location: back.href }).end();
  }

  function token(form, response) {
    const refuse = () => answer(response, 400, { error: "invalid_grant" });
    if (form.grant_type === "authorization_code") {
      const grant = codes.get(form.code);
      codes.delete(form.code);
      const proof = createHash("sha256").update(form.code_verifier ?? "").digest("base64url");
      const same = grant?.client_id === form.client_id && grant.redirect_uri === form.redirect_uri;
      return same && proof === grant.code_challenge ? answer(response, 200, issue(form.grant_type, grant)) : refuse();
    }
    if (form.grant_type === "refresh_token") {
      const grant = refresh.get(form.refresh_token);
      refresh.delete(form.refresh_token);
      return grant?.client_id === form.client_id ? answer(response, 200, issue(form.grant_type, grant)) : refuse();
    }
    return answer(response, 400, { error: "unsupported_grant_type" });
  }

  async function guarded(request, response) {
    const body = await read(request);
    const held = access.get((request.headers.authorization ?? "").replace(/^Bearer /, ""));
    if (held === undefined || held.until < Date.now()) {
      return answer(response, 401, {}, { "www-authenticate": "Bearer" });
    }
    const scope = needed(body);
    if (!held.scope.split(" ").includes(scope)) {
      return answer(response, 403, {}, { "www-authenticate": `Bearer error="insufficient_scope", scope="${scope}"` });
    }
    return serve(request, response, body);
  }

  place.handle = async (request, response) => {
    const url = new URL(request.url, place.origin);
    switch (`${request.method} ${url.pathname}`) {
      case "POST /register": {
        const { redirect_uris } = JSON.parse(await read(request));
        const client_id = fresh();
        clients.set(client_id, redirect_uris);
        return answer(response, 201, { client_id, redirect_uris, token_endpoint_auth_method: "none" });
      }
      case "GET /authorize":
        return authorize(url, response);
      case "POST /token":
        return token(Object.fromEntries(new URLSearchParams((await read(request)).toString())), response);
      default:
        return url.pathname === "/mcp" ? guarded(request, response) : answer(response, 404, {});
    }
  };
  return { url: `${place.origin}/mcp`, granted, scopes };
}

/** Whether two loopback addresses differ in nothing but the port (RFC 8252 section 7.3). */
function sameButPort(one, other) {
  const [left, right] = [new URL(one), new URL(other)];
  left.port = right.port = "";
  return left.href === right.href;
}
