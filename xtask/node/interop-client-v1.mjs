// The official TypeScript SDK 1.x as a client of our server: the revisions with a handshake.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";

import { answers, capabilities, ended, Inbox, left, main, same, walk, within } from "./interop-cases.mjs";

await main(async ({ wanted, url, command, args }) => {
  const inbox = new Inbox();
  const client = new Client({ name: "interop", version: "1.0.0" }, { capabilities });
  for (const schema of [ElicitRequestSchema, CreateMessageRequestSchema, ListRootsRequestSchema]) {
    client.setRequestHandler(schema, answers[schema.shape.method.value]);
  }
  for (const schema of [
    LoggingMessageNotificationSchema,
    ResourceUpdatedNotificationSchema,
    ToolListChangedNotificationSchema,
  ]) {
    client.setNotificationHandler(schema, (notification) => inbox.push(notification));
  }

  // The stream on which the server speaks by itself is opened by the SDK in its own time.
  let opened;
  const stream = new Promise((resolve) => (opened = resolve));
  const watched = async (input, init) => {
    const response = await fetch(input, init);
    if (init?.method === "GET") opened(response.status);
    return response;
  };
  const transport =
    url === undefined
      ? new StdioClientTransport({ command, args, stderr: "inherit" })
      : new StreamableHTTPClientTransport(url, { fetch: watched });
  // The SDK tells its transport alone which revision was agreed on.
  let revision;
  const told = transport.setProtocolVersion?.bind(transport);
  transport.setProtocolVersion = (version) => {
    revision = version;
    told?.(version);
  };
  await client.connect(transport);

  await walk({
    client,
    inbox,
    wanted,
    revision,
    unknownResource: -32002,
    call: (params, options) => client.callTool(params, undefined, options),
    logged: async (params) => {
      await client.setLoggingLevel("info");
      await client.callTool(params);
    },
    listening: async (uri) => {
      if (url !== undefined) same(await within(stream), 200, "the status of the server's own stream");
      await client.subscribeResource({ uri });
      return () => client.unsubscribeResource({ uri });
    },
    end: () => (url === undefined ? left(client, transport) : ended(client, transport, url, wanted)),
  });
});
