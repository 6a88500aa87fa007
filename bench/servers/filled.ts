/**
 * A server with two ports and a total, by an accept loop or by `node:net`. It closes connections to the first port at once,
 * and keeps and echoes those to the second. A hog in its own process holds connections to the second, and comes back when it is closed.
 *
 *   deno run -A bench/servers/filled.ts "accept loop" evict MAX_TOTAL HOGGED
 *   node bench/servers/filled.ts node:net refuse MAX_TOTAL HOGGED
 *
 * @module
 */

import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import process from "node:process";
import type { ConnLike, ListenerLike } from "../../mod.ts";
import { serveCommands } from "../lib/commands.ts";
import { loadBun, loadCore, loadNode } from "../lib/library.ts";

const [way, whenFull, maxTotal, hogged] = process.argv.slice(2);

type Listener = ListenerLike<ConnLike, { readonly port: number }> & AsyncIterable<ConnLike>;

const options = { whenFull: whenFull as "refuse" | "evict" };
let served = 0;

async function limit(): Promise<number[]> {
  const { Limiter, limitedListener } = await loadCore();
  const limiter = new Limiter({ maxPerClient: Infinity, maxTotal: Number(maxTotal) });
  const ports: number[] = [];
  for (const closes of [true, false]) {
    if (way === "node:net") {
      const server = createServer((socket) => {
        if (!closes) return void socket.on("error", () => {}).on("data", (data) => socket.write(data));
        served++;
        socket.destroy();
      });
      (await loadNode()).limitServer(server, limiter, options);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      ports.push((server.address() as AddressInfo).port);
    } else {
      const listen = ("Bun" in globalThis ? (await loadBun()).listen : Deno.listen) as unknown as (
        where: object,
      ) => Listener;
      const listener = listen({ hostname: "127.0.0.1", port: 0 });
      ports.push(listener.addr.port);
      serve(limitedListener(listener, limiter, options), closes);
    }
  }
  return ports;
}

async function serve(conns: AsyncIterable<ConnLike>, closes: boolean): Promise<void> {
  for await (const conn of conns) {
    if (closes) {
      served++;
      conn.close();
    } else echo(conn).catch(() => {});
  }
}

async function echo(conn: ConnLike): Promise<void> {
  using _ = conn;
  const buffer = new Uint8Array(64);
  for (let count; (count = await conn.read(buffer)) !== null;) await conn.write(buffer.subarray(0, count));
}

/** Holds a connection, and opens another when it is closed. */
function hog(port: number): Socket {
  const again = () => void setTimeout(() => hog(port), 1);
  return connect({ port, host: "127.0.0.1", localAddress: "127.8.8.8" }).on("error", () => {}).on("close", again)
    .resume();
}

limit().then((ports) => {
  for (let i = 0; i < Number(hogged); i++) hog(ports[1]!);
  setTimeout(() => serveCommands({ ports }, { served: () => served }), 300);
});
