// What an official TypeScript SDK has to see of our server: one line for each case, by the names in xtask/src/interop/cases.rs.

import { isDeepStrictEqual } from "node:util";

/** What takes longer than this does not come: milliseconds. */
const PATIENCE = 10_000;

const WATCHED = "test://watched-resource";

/** What a client declares that agrees to everything. */
export const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };

/** What it answers, by method. */
export const answers = {
  "elicitation/create": () => ({ action: "accept", content: { username: "ada", email: "ada@example.com" } }),
  "sampling/createMessage": () => ({
    role: "assistant",
    model: "none",
    stopReason: "endTurn",
    content: { type: "text", text: "said by the model" },
  }),
  "roots/list": () => ({ roots: [{ uri: "file:///project", name: "the project" }] }),
};

/** The notifications that are listened to. */
export const notifications = [
  "notifications/message",
  "notifications/tools/list_changed",
  "notifications/resources/updated",
];

/** Notifications as they arrive, for whoever waits for one. */
export class Inbox {
  #looking = [];
  all = [];

  push(notification) {
    this.all.push(notification);
    for (const look of this.#looking) look();
  }

  /** Resolves when `enough` holds of what has arrived. */
  until(enough) {
    return within(
      new Promise((resolve) => {
        const look = () => enough(this.all) && resolve();
        this.#looking.push(look);
        look();
      }),
    );
  }
}

/** What comes of `promise`, unless that takes too long. */
export function within(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came within ${PATIENCE} ms`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Ends the run unless both are the same. */
export function same(actual, expected, what) {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Error(`${what}: expected ${JSON.stringify(expected)}, received ${JSON.stringify(actual)}`);
  }
}

/** The error that `promise` ends with. */
export async function failure(promise) {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
  if (outcome.error === undefined) throw new Error(`no failure, but ${JSON.stringify(outcome.value)}`);
  return outcome.error;
}

const pause = (milliseconds) => new Promise((next) => setTimeout(next, milliseconds));

const seen = (name) => console.log(`  ok  ${name}`);

function text(result) {
  if (result.isError === true) throw new Error(`the tool failed: ${JSON.stringify(result)}`);
  return result.content.map((item) => item.text).join("\n");
}

/**
 * Goes through the cases.
 *
 * `sdk` has the connected `client`; the revision that it was to agree on (`wanted`) and that it did (`revision`); the `inbox`;
 * `logged(params)`, which calls a tool and wants its log messages; `listening(uri)`, after which changes of the tools and of
 * that resource arrive; `unknownResource`, the code as the SDK hands it on; and `end()`, which ends the connection and looks
 * whether the server has noticed.
 */
export async function walk(sdk) {
  const { client, inbox, wanted } = sdk;
  const call = (name, args = {}, options = undefined) => sdk.call({ name, arguments: args }, options);

  same(sdk.revision, wanted, "the revision");
  seen("revision");

  const { tools } = await client.listTools();
  const named = (name) => tools.find((tool) => tool.name === name);
  same(named("add_numbers")?.inputSchema.required, ["a", "b"], "the schema of add_numbers");
  same(named("test_structured_content")?.outputSchema.required, ["answer", "sure"], "the schema of an answer");
  seen("tools");

  same(text(await call("add_numbers", { a: 2, b: 3 })), "5", "the sum");
  seen("text");

  const structured = await call("test_structured_content");
  same(structured.structuredContent, { answer: 42, sure: true }, "the structured content");
  seen("structured content");

  const failed = await call("test_error_handling");
  same(failed.isError, true, "isError");
  seen("failing tool");

  same((await failure(call("no_such_tool"))).code, -32602, "the code for an unknown tool");
  seen("unknown tool");

  const reports = [];
  await call("test_tool_with_progress", {}, { onprogress: (report) => reports.push([report.progress, report.total]) });
  same(reports, [[0, 100], [50, 100], [100, 100]], "the progress");
  seen("progress");

  await sdk.logged({ name: "test_tool_with_logging", arguments: {} });
  const messages = () => inbox.all.filter((one) => one.method === "notifications/message").map((one) => one.params.data);
  await inbox.until(() => messages().length >= 3);
  same(messages(), ["Tool execution started", "Tool processing data", "Tool execution completed"], "the log");
  seen("log");

  const { resources } = await client.listResources();
  // What comes after these belongs to an extension.
  same(resources.map((one) => one.uri).slice(0, 3), ["test://static-text", "test://static-binary", WATCHED], "the resources");
  seen("resources");

  const [content] = (await client.readResource({ uri: "test://static-text" })).contents;
  same([content.mimeType, content.text], ["text/plain", "The content of the static text resource."], "the text");
  const [picture] = (await client.readResource({ uri: "test://static-binary" })).contents;
  same([picture.mimeType, typeof picture.blob], ["image/png", "string"], "the picture");
  seen("reading a resource");

  const missing = await failure(client.readResource({ uri: "test://nothing" }));
  same(missing.code, sdk.unknownResource, "the code for an unknown resource");
  seen("unknown resource");

  const first = await client.listResourceTemplates({ cursor: undefined });
  const rest = first.nextCursor === undefined ? [] : [await client.listResourceTemplates({ cursor: first.nextCursor })];
  const templates = [first, ...rest].flatMap((page) => page.resourceTemplates).map((one) => one.uriTemplate);
  same(templates, ["test://template/{id}/data", "test://archive/{year}"], "the templates of both pages");
  seen("pages");

  const { prompts } = await client.listPrompts();
  same(prompts[1]?.arguments?.map((one) => one.name), ["arg1", "arg2"], "the arguments of a prompt");
  seen("prompts");

  const prompt = await client.getPrompt({ name: "test_prompt_with_arguments", arguments: { arg1: "x", arg2: "y" } });
  same(prompt.messages[0].content.text, "Prompt with arguments: arg1='x', arg2='y'", "the prompt");
  seen("getting a prompt");

  const ref = { type: "ref/prompt", name: "test_prompt_with_arguments" };
  const { completion } = await client.complete({ ref, argument: { name: "arg1", value: "par" } });
  same(completion.values, ["paris", "park", "party"], "the proposals");
  seen("completion");

  const elicited = text(await call("test_elicitation", { message: "Who are you?" }));
  if (!elicited.includes("ada@example.com")) throw new Error(`the form did not arrive: ${elicited}`);
  seen("elicitation");

  const sampled = text(await call("test_sampling", { prompt: "Say it." }));
  if (!sampled.includes("said by the model")) throw new Error(`the model's words did not arrive: ${sampled}`);
  seen("sampling");

  same(text(await call("test_input_required_result_list_roots")), "Roots: file:///project", "the roots");
  seen("roots");

  const cancelled = async () => Number(text(await call("test_cancellations_seen")));
  const before = await cancelled();
  const abort = new AbortController();
  const broken = failure(call("test_cancellation", {}, { signal: abort.signal }));
  // Nothing tells when the server has begun; before that there is nothing to cancel.
  await pause(200);
  abort.abort("enough");
  await within(broken);
  await within(
    (async () => {
      while ((await cancelled()) === before) await pause(20);
    })(),
  );
  seen("cancellation");

  const listening = await sdk.listening(WATCHED);
  const arrived = (method) => inbox.until((all) => all.some((one) => one.method === method));
  await call("test_trigger_tool_change");
  await arrived("notifications/tools/list_changed");
  seen("changed list");
  await call("test_trigger_resource_change");
  await arrived("notifications/resources/updated");
  same(inbox.all.find((one) => one.method === "notifications/resources/updated").params.uri, WATCHED, "what has changed");
  seen("changed resource");
  await listening?.();

  await sdk.end();
  seen("end");
}

/** Runs `body` with the revision and the target of the command line: an address, or a program and its arguments. */
export async function main(body) {
  const [wanted, target, ...rest] = process.argv.slice(2);
  try {
    if (target === undefined) throw new Error("usage: REVISION URL|PROGRAM [ARGUMENT...]");
    const http = /^https?:/.test(target);
    await body({ wanted, url: http ? new URL(target) : undefined, command: http ? undefined : target, args: rest });
    process.exit(0);
  } catch (error) {
    console.log(`  FAILED  ${error?.stack ?? error}`);
    process.exit(1);
  }
}

/** Ends the session; from then on the server knows it no more. */
export async function ended(client, transport, url, revision) {
  const session = transport.sessionId;
  await transport.terminateSession();
  await client.close();
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-session-id": session,
      "mcp-protocol-version": revision,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
  });
  same(answer.status, 404, "the status of a session that has ended");
}

/** Closes the standard input of the server, which leaves without being killed. */
export async function left(client, transport) {
  const child = transport._process;
  const gone = new Promise((resolve) => child.once("exit", (code, signal) => resolve([code, signal])));
  await client.close();
  same(await within(gone), [0, null], "the exit code and the signal");
}
