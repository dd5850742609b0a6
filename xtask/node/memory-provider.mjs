// What the official TypeScript clients ask their user for when they sign in, without a browser.

import { randomBytes } from "node:crypto";

import { visit } from "./visitor.mjs";

/** Nobody listens here: the story reads the redirect instead of following it. */
const REDIRECT = "http://127.0.0.1:53682/callback";

/** What the SDK asks its user to keep, kept in memory, with a count of what happened. */
export class MemoryProvider {
  authorizations = 0;
  savedTokens = [];
  redirectUrl = REDIRECT;
  clientMetadata = {
    client_name: "A story",
    redirect_uris: [REDIRECT],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  state() {
    this.sentState = randomBytes(16).toString("base64url");
    return this.sentState;
  }
  clientInformation() {
    return this.client;
  }
  saveClientInformation(client) {
    this.client = client;
  }
  tokens() {
    return this.savedTokens.at(-1);
  }
  saveTokens(tokens) {
    this.savedTokens.push(tokens);
  }
  saveDiscoveryState(state) {
    this.discovered = state;
  }
  discoveryState() {
    return this.discovered;
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  codeVerifier() {
    return this.verifier;
  }
  async redirectToAuthorization(address) {
    this.authorizations += 1;
    this.asked = address;
    this.answer = (await visit(address, { until: REDIRECT })).address;
  }
}
