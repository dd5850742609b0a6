// The official TypeScript SDK 1.x as a server for our client: the revisions with a handshake.

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";

import { completable } from "@modelcontextprotocol/sdk/server/completable.js";
import { McpServer, ResourceTemplate } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import {
  isInitializeRequest,
  ListResourceTemplatesRequestSchema,
  ListRootsResultSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

import { fixture, listen, serving } from "./interop-fixture.mjs";

/** One server for each connection or session; what it has seen of cancellation is for all of them. */
function newServer() {
  const server = new McpServer(
    { name: "interop", version: "1.0.0" },
    { capabilities: { logging: {}, resources: { subscribe: true }, completions: {} } },
  );
  const subscribed = new Set();
  const asked = {
    elicit: (params) => server.server.elicitInput(params),
    sample: (params) => server.server.createMessage(params),
    roots: (extra) => extra.sendRequest({ method: "roots/list" }, ListRootsResultSchema),
  };
  fixture(z, {
    tool: (name, config, run) =>
      server.registerTool(name, config, async (...given) => {
        const extra = given.at(-1);
        return run(given.length > 1 ? given[0] : {}, {
          signal: extra.signal,
          progress: (progress, total) =>
            extra.sendNotification({
              method: "notifications/progress",
              params: { progressToken: extra._meta?.progressToken, progress, total },
            }),
          log: (data) =>
            extra.sendNotification({ method: "notifications/message", params: { level: "info", data } }),
          elicit: (params) => asked.elicit(params),
          sample: (params) => asked.sample(params),
          roots: () => asked.roots(extra),
          toolsChanged: () => server.sendToolListChanged(),
          resourceChanged: (uri) => subscribed.has(uri) && server.server.sendResourceUpdated({ uri }),
        });
      }),
    resource: (name, uri, mimeType, content) =>
      server.registerResource(name, uri, { mimeType }, () => ({ contents: [{ uri, mimeType, ...content }] })),
    template: (name, uri) =>
      server.registerResource(name, new ResourceTemplate(uri, { list: undefined }), {}, (at) => ({
        contents: [{ uri: at.href, text: "" }],
      })),
    prompt: (name, argsSchema, complete, text) =>
      server.registerPrompt(
        name,
        {
          argsSchema: Object.fromEntries(
            Object.entries(argsSchema).map(([key, schema]) => [key, completable(schema, complete)]),
          ),
        },
        (args) => ({ messages: [{ role: "user", content: { type: "text", text: text(args) } }] }),
      ),
    pages: (page) =>
      server.server.setRequestHandler(ListResourceTemplatesRequestSchema, (request) => page(request.params?.cursor)),
  });
  server.server.setRequestHandler(SubscribeRequestSchema, ({ params }) => (subscribed.add(params.uri), {}));
  server.server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => (subscribed.delete(params.uri), {}));
  return server;
}

await serving({
  stdio: () => newServer().connect(new StdioServerTransport()),
  http: (address) => {
    const sessions = new Map();
    const http = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks));
      let transport = sessions.get(request.headers["mcp-session-id"]);
      if (transport === undefined && isInitializeRequest(body)) {
        transport = new StreamableHTTPServerTransport({
          sessionIdGenerator: randomUUID,
          onsessioninitialized: (id) => sessions.set(id, transport),
          onsessionclosed: (id) => sessions.delete(id),
        });
        await newServer().connect(transport);
      }
      if (transport !== undefined) return transport.handleRequest(request, response, body);
      response.writeHead(404, { "content-type": "application/json" });
      const error = { code: -32001, message: "Session not found" };
      response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error }));
    });
    return listen(http, address);
  },
});
