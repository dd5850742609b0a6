// What the servers of both TypeScript SDKs offer to our client: what examples/conformance-server offers to theirs.

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** How many calls were cancelled. */
let cancellations = 0;

const text = (words) => ({ content: [{ type: "text", text: String(words) }] });

/** Registers everything with an SDK, whose words for it are in `sdk`; `z` is its schema library. */
export function fixture(z, sdk) {
  const numbers = { a: z.number(), b: z.number() };
  sdk.tool("add_numbers", { description: "Adds.", inputSchema: z.object(numbers) }, ({ a, b }) => text(a + b));
  const answer = { answer: z.number().int(), sure: z.boolean() };
  sdk.tool(
    "test_structured_content",
    { description: "Answers for programs too.", outputSchema: z.object(answer) },
    () => ({ ...text("42"), structuredContent: { answer: 42, sure: true } }),
  );
  sdk.tool("test_error_handling", { description: "Fails." }, () => ({ ...text("It failed."), isError: true }));
  sdk.tool("test_tool_with_progress", { description: "Reports progress." }, async (_, context) => {
    for (const progress of [0, 50, 100]) await context.progress(progress, 100);
    return text("done");
  });
  sdk.tool("test_tool_with_logging", { description: "Logs three times." }, async (_, context) => {
    const words = ["Tool execution started", "Tool processing data", "Tool execution completed"];
    for (const data of words) await context.log(data);
    return text("done");
  });
  sdk.tool("test_elicitation", { description: "Asks who the person is." }, async (_, context) => {
    const properties = { username: { type: "string" }, email: { type: "string" } };
    const requestedSchema = { type: "object", properties, required: ["username", "email"] };
    const given = await context.elicit({ mode: "form", message: "Who are you?", requestedSchema });
    return given.content === undefined ? given : text(`${given.action} ${JSON.stringify(given.content)}`);
  });
  sdk.tool("test_sampling", { description: "Asks the model of the client." }, async (_, context) => {
    const messages = [{ role: "user", content: { type: "text", text: "Say it." } }];
    const given = await context.sample({ messages, maxTokens: 100 });
    return given.model === undefined ? given : text(given.content.text);
  });
  sdk.tool("test_input_required_result_list_roots", { description: "Asks for the roots." }, async (_, context) => {
    const given = await context.roots();
    return given.roots === undefined ? given : text(given.roots.map((root) => root.uri).join(", "));
  });
  sdk.tool("test_cancellation", { description: "Waits to be cancelled." }, async (_, context) => {
    await new Promise((done) => {
      const late = setTimeout(done, 30_000);
      context.signal.addEventListener("abort", () => {
        clearTimeout(late);
        cancellations += 1;
        done();
      });
    });
    return text("nobody hears this");
  });
  sdk.tool("test_cancellations_seen", { description: "Says how many calls were cancelled." }, () => text(cancellations));
  sdk.tool("test_trigger_tool_change", { description: "Announces that the tools have changed." }, async (_, context) => {
    await context.toolsChanged();
    return text("done");
  });
  sdk.tool("test_trigger_resource_change", { description: "Announces a changed resource." }, async (_, context) => {
    await context.resourceChanged("test://watched-resource");
    return text("done");
  });

  const static_text = "The content of the static text resource.";
  sdk.resource("A text", "test://static-text", "text/plain", { text: static_text });
  sdk.resource("A picture", "test://static-binary", "image/png", { blob: PNG });
  sdk.resource("A text that may change", "test://watched-resource", "text/plain", { text: "It may change." });

  const templates = ["test://template/{id}/data", "test://archive/{year}"];
  for (const uri of templates) sdk.template(uri, uri);
  const page = (uri) => ({ resourceTemplates: [{ name: uri, uriTemplate: uri }] });
  sdk.pages((cursor) => (cursor === undefined ? { ...page(templates[0]), nextCursor: "2" } : page(templates[1])));

  const complete = (value) => ["paris", "park", "party"].filter((proposal) => proposal.startsWith(value));
  const words = ({ arg1, arg2 }) => `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`;
  sdk.prompt("test_prompt_with_arguments", { arg1: z.string(), arg2: z.string() }, complete, words);
}

/** Serves over what the command line says: `--stdio`, or `--listen ADDRESS`. */
export async function serving({ stdio, http }) {
  const [how, address] = process.argv.slice(2);
  if (how === "--stdio") return stdio();
  if (how === "--listen") return http(address);
  throw new Error("usage: --stdio | --listen ADDRESS");
}

/** Listens, and says where. */
export function listen(server, address) {
  const { hostname, port } = new URL(`http://${address}`);
  server.listen(Number(port), hostname, () => {
    console.log(`listening on http://${hostname}:${server.address().port}/mcp`);
  });
}
