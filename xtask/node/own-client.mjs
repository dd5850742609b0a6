// Our own client as a person uses it: commands on a terminal, and a browser beside it.

import { spawn } from "node:child_process";

import { binary } from "./dev-server.mjs";
import { visit } from "./visitor.mjs";

/** A command of ours that takes longer than this is stuck: milliseconds. */
const COMMAND_LIMIT = 60_000;

/** Runs the client; `meanwhile` sees what it prints for people as it appears. */
export async function client(args, meanwhile = () => undefined) {
  const env = { ...process.env, RUST_LOG: "mcp_server=debug", NO_COLOR: "1" };
  const child = spawn(binary(), args, { stdio: ["ignore", "pipe", "pipe"], env });
  const last = () => child.kill("SIGKILL");
  process.once("exit", last);
  const timer = setTimeout(() => child.kill("SIGKILL"), COMMAND_LIMIT);
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => {
    err += chunk;
    meanwhile(err);
  });
  const code = await new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  clearTimeout(timer);
  process.off("exit", last);
  return { code, out, err };
}

/** Opens the printed address once, as the person's browser would. */
export function browser() {
  let visiting;
  return {
    see(text) {
      const address = text.match(/https?:\/\/\S+\?\S*(?:response_type=code|request_uri=)\S*(?=\s)/);
      if (address && !visiting) visiting = visit(address[0]);
    },
    visit: () => visiting,
  };
}
