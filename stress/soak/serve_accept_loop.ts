/**
 * Servers that echo, over connections such as Deno's, with and without limits.
 *
 * @module
 */

import { type ConnLike, limitedListener, type Limiter, type ListenerLike } from "../../mod.ts";
import { listen } from "../../src/bun/mod.ts";
import { behaviourOf } from "./echo_behaviour.ts";

/** What is the same in Deno's connections and in those of Bun's `listen()`. */
interface Conn extends ConnLike {
  readonly remoteAddr: { readonly transport: "tcp"; readonly hostname: string; readonly port: number };
  closeWrite(): Promise<void>;
}

type Listener = ListenerLike<Conn, { readonly port: number }>;

/** Echoes by the streams. */
export async function byStreams(conn: Conn): Promise<void> {
  switch (behaviourOf(conn.remoteAddr.port)) {
    case "echo":
      return await conn.readable.pipeTo(conn.writable);
    case "close":
      return conn.close();
    case "close later": {
      const reader = conn.readable.getReader();
      await reader.read();
      return await reader.cancel();
    }
    case "cancel":
      return await conn.readable.cancel();
    case "abort":
      return await conn.writable.abort();
    case "end":
      return await conn.writable.close();
  }
}

/** Echoes by `read()` and `write()`. */
export async function byReadAndWrite(conn: Conn): Promise<void> {
  using _ = conn;
  const behaviour = behaviourOf(conn.remoteAddr.port);
  if (behaviour === "close") return;
  const buffer = new Uint8Array(16 << 10);
  if (behaviour === "cancel") {
    // Closed with both pending.
    conn.read(buffer).catch(() => {});
    conn.write(buffer.subarray(0, 0)).catch(() => {});
    return;
  }
  for (let count; (count = await conn.read(buffer)) !== null;) {
    for (let rest = buffer.subarray(0, count); rest.length > 0;) rest = rest.subarray(await conn.write(rest));
    if (behaviour === "end") return await conn.closeWrite();
    if (behaviour !== "echo") return;
  }
}

/** Listens, and serves each connection until it has ended in whichever way. Returns the port. */
export function serveEach(
  limiter: Limiter | undefined,
  hostname: string,
  serve: (conn: Conn) => Promise<void>,
): number {
  const where = { hostname, port: 0 };
  const native = ("Bun" in globalThis ? listen(where) : Deno.listen(where)) as Listener;
  const listener = limiter === undefined ? native : limitedListener(native, limiter, { onError() {} });
  (async () => {
    for (;;) {
      let conn: Conn;
      try {
        conn = await listener.accept();
      } catch {
        // Without limits, a reset before the accept.
        continue;
      }
      serve(conn).catch(() => {});
    }
  })();
  return native.addr.port;
}
