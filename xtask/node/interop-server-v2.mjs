// The official TypeScript SDK 2.x as a server for our client: 2026-07-28, and the handshake that it still has over stdio.

import { createServer } from "node:http";
import { Readable } from "node:stream";

import {
  completable,
  createMcpHandler,
  inputRequired,
  inputResponse,
  McpServer,
  ResourceTemplate,
} from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";

import { fixture, listen, serving } from "./interop-fixture.mjs";

/** How changes are announced; set when it is known what the server speaks over. */
let announce;

/** A server for one request over HTTP, or for one connection over stdio. */
function newServer({ era }) {
  const server = new McpServer(
    { name: "interop", version: "1.0.0" },
    { capabilities: { logging: {}, tools: { listChanged: true }, resources: { subscribe: true }, completions: {} } },
  );
  const subscribed = new Set();
  const modern = era === "modern";
  /** The answer, if this round has it; otherwise the question, which the tool hands on as its result. */
  const ask = (context, kind, question) => {
    const given = inputResponse(context.mcpReq.inputResponses, "asked");
    return given.kind === kind ? given : inputRequired({ inputRequests: { asked: question } });
  };
  fixture(z, {
    tool: (name, config, run) =>
      server.registerTool(name, config, async (...given) => {
        const context = given.at(-1);
        const { mcpReq } = context;
        return run(given.length > 1 ? given[0] : {}, {
          signal: mcpReq.signal,
          progress: (progress, total) =>
            mcpReq.notify({
              method: "notifications/progress",
              params: { progressToken: mcpReq._meta?.progressToken, progress, total },
            }),
          log: (data) => mcpReq.log("info", data),
          elicit: (params) =>
            modern ? ask(context, "elicit", inputRequired.elicit(params)) : mcpReq.elicitInput(params),
          sample: (params) =>
            modern
              ? sampled(ask(context, "sampling", inputRequired.createMessage(params)))
              : mcpReq.requestSampling(params),
          roots: () =>
            modern ? ask(context, "roots", inputRequired.listRoots()) : mcpReq.send({ method: "roots/list" }),
          toolsChanged: () => (announce ? announce.toolsChanged() : server.sendToolListChanged()),
          resourceChanged: (uri) =>
            announce ? announce.resourceUpdated(uri) : server.server.sendResourceUpdated({ uri }),
        });
      }),
    resource: (name, uri, mimeType, content) =>
      server.registerResource(name, uri, { mimeType }, () => ({ contents: [{ uri, mimeType, ...content }] })),
    template: (name, uri) =>
      server.registerResource(name, new ResourceTemplate(uri, { list: undefined }), {}, (at) => ({
        contents: [{ uri: at.href, text: "" }],
      })),
    prompt: (name, schemas, complete, text) =>
      server.registerPrompt(
        name,
        {
          argsSchema: z.object(
            Object.fromEntries(Object.entries(schemas).map(([key, schema]) => [key, completable(schema, complete)])),
          ),
        },
        (args) => ({ messages: [{ role: "user", content: { type: "text", text: text(args) } }] }),
      ),
    pages: (page) =>
      server.server.setRequestHandler("resources/templates/list", (request) => page(request.params?.cursor)),
  });
  if (!modern) {
    server.server.setRequestHandler("resources/subscribe", ({ params }) => (subscribed.add(params.uri), {}));
    server.server.setRequestHandler("resources/unsubscribe", ({ params }) => (subscribed.delete(params.uri), {}));
  }
  return server;
}

/** A model's words, whether they came as an answer or in a later round. */
function sampled(given) {
  return given.kind === "sampling" ? { model: "said", ...given, ...given.result } : given;
}

await serving({
  stdio: () => serveStdio(newServer),
  http: (address) => {
    const handler = createMcpHandler(newServer);
    announce = handler.notify;
    const http = createServer(async (incoming, outgoing) => {
      const gone = new AbortController();
      outgoing.on("close", () => gone.abort());
      const url = new URL(incoming.url, `http://${incoming.headers.host}`);
      const { method, headers } = incoming;
      const body = method === "POST" ? Readable.toWeb(incoming) : undefined;
      const request = new Request(url, { method, headers, body, duplex: "half", signal: gone.signal });
      const response = await handler.fetch(request);
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      if (response.body === null) return outgoing.end();
      Readable.fromWeb(response.body).on("error", () => outgoing.destroy()).pipe(outgoing);
    });
    return listen(http, address);
  },
});
