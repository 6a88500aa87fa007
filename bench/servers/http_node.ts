/**
 * A server of `node:http`, on any runtime.
 *
 *   deno run -A bench/servers/http_node.ts bare
 *   deno run -A bench/servers/http_node.ts limited
 *
 * @module
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { serveCommands } from "../lib/commands.ts";
import { loadNode } from "../lib/library.ts";

async function listen(): Promise<number> {
  const server = createServer((_request, response) => response.end("hello\n"));
  const { limitServer } = await loadNode();
  if (process.argv[2] === "limited") limitServer(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

listen().then((port) => serveCommands({ ports: [port] }));
