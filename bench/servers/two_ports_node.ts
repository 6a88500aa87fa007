/**
 * The server of `two_ports.ts` by `node:net`, on any runtime.
 *
 *   deno run -A bench/servers/two_ports_node.ts bare
 *   deno run -A bench/servers/two_ports_node.ts "bare, reading the address"
 *   deno run -A bench/servers/two_ports_node.ts limited MAX_PER_CLIENT
 *
 * @module
 */

import { type AddressInfo, createServer, type Socket } from "node:net";
import process from "node:process";
import { serveCommands } from "../lib/commands.ts";
import { loadCore, loadNode } from "../lib/library.ts";

const [mode, maxPerClient] = process.argv.slice(2);

let served = 0;

function close(socket: Socket): void {
  served++;
  socket.destroy();
}

function readAndClose(socket: Socket): void {
  if (socket.remoteAddress !== undefined) close(socket);
}

function keep(socket: Socket): void {
  socket.on("error", () => {});
  socket.on("data", (data) => socket.write(data));
}

async function listen(): Promise<number[]> {
  const [{ Limiter }, { limitServer }] = [await loadCore(), await loadNode()];
  const limiter = new Limiter({ maxPerClient: Number(maxPerClient ?? Infinity) });
  const ports: number[] = [];
  for (const onConnection of [mode === "bare, reading the address" ? readAndClose : close, keep]) {
    const server = createServer(onConnection);
    if (mode === "limited") limitServer(server, limiter);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ports.push((server.address() as AddressInfo).port);
  }
  return ports;
}

listen().then((ports) => serveCommands({ ports }, { served: () => served }));
