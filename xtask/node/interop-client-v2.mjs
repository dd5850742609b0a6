// The official TypeScript SDK 2.x as a client of our server: 2026-07-28, and the handshake that it still has.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

import { answers, capabilities, ended, Inbox, left, main, notifications, same, walk, within } from "./interop-cases.mjs";

await main(async ({ wanted, url, command, args }) => {
  const modern = wanted >= "2026";
  const inbox = new Inbox();
  const client = new Client(
    { name: "interop", version: "1.0.0" },
    { capabilities, versionNegotiation: { mode: modern ? "auto" : "legacy" } },
  );
  for (const [method, answer] of Object.entries(answers)) client.setRequestHandler(method, answer);
  for (const method of notifications) {
    client.setNotificationHandler(method, (notification) => inbox.push(notification));
  }

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
  await client.connect(transport);

  await walk({
    client,
    inbox,
    wanted,
    revision: client.getNegotiatedProtocolVersion(),
    // The SDK hands on -32002, which the handshake revisions have, as what it is since 2026-07-28.
    unknownResource: -32602,
    call: (params, options) => client.callTool(params, options),
    logged: async (params) => {
      if (!modern) await client.setLoggingLevel("info");
      const wants = { "io.modelcontextprotocol/logLevel": "info" };
      await client.callTool(modern ? { ...params, _meta: wants } : params);
    },
    listening: async (uri) => {
      if (modern) {
        const subscription = await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] });
        return () => subscription.close();
      }
      if (url !== undefined) same(await within(stream), 200, "the status of the server's own stream");
      await client.subscribeResource({ uri });
      return () => client.unsubscribeResource({ uri });
    },
    end: () => (url === undefined ? left(client, transport) : closed(client, transport, url, wanted)),
  });
});

/** Ends the session, where there is one; since 2026-07-28 there is none, and nothing is left to be ended. */
async function closed(client, transport, url, revision) {
  const session = transport.sessionId;
  same(session === undefined, revision >= "2026", "whether there was no session");
  if (session === undefined) return client.close();
  return ended(client, transport, url, revision);
}
