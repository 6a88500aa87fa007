/**
 * A server with two ports, by an accept loop on Deno or Bun. It closes connections to the first port at once, and keeps and
 * echoes those to the second. So a client can hold connections and flood the server with others, also through a proxy.
 *
 *   deno run -A bench/servers/two_ports.ts bare
 *   deno run -A bench/servers/two_ports.ts limited MAX_PER_CLIENT
 *   bun bench/servers/two_ports.ts limited MAX_PER_CLIENT
 *
 * With limits, one limiter counts the connections of both ports.
 *
 * @module
 */

import process from "node:process";
import type { ConnLike, ListenerLike } from "../../mod.ts";
import { serveCommands } from "../lib/commands.ts";
import { loadBun, loadCore } from "../lib/library.ts";

const [mode, maxPerClient] = process.argv.slice(2);

/** The part that a listener of Deno's has in common with one of Bun's. */
type Listener = ListenerLike<ConnLike, { readonly port: number }> & AsyncIterable<ConnLike>;

let served = 0;

function closeAtOnce(conn: ConnLike): void {
  served++;
  conn.close();
}

async function serve(conns: AsyncIterable<ConnLike>, handle: (conn: ConnLike) => void): Promise<void> {
  for (;;) {
    try {
      for await (const conn of conns) handle(conn);
    } catch (error) {
      // Deno's own iterator ends when a connection is reset before it is accepted, as proxies do.
      if (!(error instanceof Deno.errors.NotConnected)) throw error;
    }
  }
}

async function echo(conn: ConnLike): Promise<void> {
  using _ = conn;
  const buffer = new Uint8Array(64);
  for (let count; (count = await conn.read(buffer)) !== null;) await conn.write(buffer.subarray(0, count));
}

const { Limiter, limitedListener } = await loadCore();
const limiter = new Limiter({ maxPerClient: Number(maxPerClient ?? Infinity) });
const listen = ("Bun" in globalThis ? (await loadBun()).listen : Deno.listen) as unknown as (where: object) => Listener;
const ports = [closeAtOnce, (conn: ConnLike) => void echo(conn).catch(() => {})].map((handle) => {
  const listener = listen({ hostname: "127.0.0.1", port: 0 });
  serve(mode === "limited" ? limitedListener(listener, limiter) : listener, handle);
  return listener.addr.port;
});
serveCommands({ ports }, { served: () => served });
