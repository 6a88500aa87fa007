/**
 * A server of `node:http`, on any runtime.
 *
 *   deno run -A bench/servers/http_node.ts bare
 *   deno run -A bench/servers/http_node.ts "bare, reading headers"
 *   deno run -A bench/servers/http_node.ts limited
 *   deno run -A bench/servers/http_node.ts "requests limited"
 *
 * @module
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { serveCommands } from "../lib/commands.ts";
import { loadNode, loadProxy } from "../lib/library.ts";

async function listen(): Promise<number> {
  const reads = process.argv[2] === "bare, reading headers";
  const server = createServer((request, response) => {
    if (!reads || request.headers["x-forwarded-for"] !== undefined) response.end("hello\n");
  });
  const { limitServer, limitServerRequests } = await loadNode();
  if (process.argv[2] === "limited") limitServer(server);
  if (process.argv[2] === "requests limited") {
    const { forwarded } = await loadProxy();
    const client = forwarded({ header: "x-forwarded-for", trusted: ["127.0.0.0/8"] });
    limitServerRequests(server, {}, { client });
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

listen().then((port) => serveCommands({ ports: [port] }));
