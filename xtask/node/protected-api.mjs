// Starts the program of `examples/protect-an-axum-api` as it is, and speaks to it.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { atEnd } from "./story.mjs";

/** How long the program may take for a line: milliseconds. */
const LINE_LIMIT = 30_000;

/** The binary, named by the program that runs the stories. */
function binary() {
  const path = process.env.PROTECTED_API;
  if (!path) throw new Error("PROTECTED_API must name the protect-an-axum-api binary");
  return path;
}

/** Starts the API of this name, which trusts this issuer; `env` is for introspection. */
export async function protectedApi(resource, issuer, env = {}) {
  const child = spawn(binary(), [resource, issuer], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let errors = "";
  child.stderr.on("data", (chunk) => (errors += chunk));
  const stop = () => child.kill("SIGKILL");
  process.once("exit", stop);
  atEnd(stop);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  /** The next line that it prints. */
  async function line() {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("the API printed nothing")), LINE_LIMIT);
    });
    const { value, done } = await Promise.race([lines.next(), late]).finally(() => clearTimeout(timer));
    if (done) throw new Error(`the API has ended: ${errors}`);
    return value;
  }
  const url = await line();

  /**
   * Sends one request. `why` is the line of the log, which is there when the API refused.
   *
   * With `key` the token goes with the scheme DPoP and a proof; `proof` replaces it.
   */
  async function send(method, token, { key, proof, scheme = key || proof ? "DPoP" : "Bearer" } = {}) {
    const headers = {};
    if (token !== undefined) headers.authorization = `${scheme} ${token}`;
    if (key !== undefined) headers.dpop = await key.prove(method, address(), token);
    if (proof !== undefined) headers.dpop = proof;
    const response = await fetch(url, { method, headers });
    const text = await response.text();
    const why = response.status < 400 ? undefined : await line();
    return {
      status: response.status,
      text,
      why,
      challenge: response.headers.get("www-authenticate") ?? "",
      retryAfter: response.headers.get("retry-after"),
    };
  }

  /** What its clients call it, which is what proofs are made for. */
  function address() {
    return new URL("/notes", resource).href;
  }

  return { resource, address: address(), origin: new URL(url).origin, send, errors: () => errors };
}
