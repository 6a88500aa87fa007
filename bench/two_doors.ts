/**
 * A server with two ports: what comes to the first is closed at once, what comes to the second is kept and echoed. A client
 * can so hold connections and flood the server with others, whoever stands between.
 *
 *   deno run -A bench/two_doors.ts bare
 *   deno run -A bench/two_doors.ts limited MAX_PER_CLIENT
 *
 * With limits, one limiter counts the connections of both.
 *
 * @module
 */

import { limitedListener, Limiter } from "../mod.ts";
import { tell } from "./tell.ts";

let served = 0;

function closeAtOnce(conn: Deno.Conn) {
  served++;
  conn.close();
}

async function serve(conns: AsyncIterable<Deno.Conn>, handle: (conn: Deno.Conn) => void) {
  for (;;) {
    try {
      for await (const conn of conns) handle(conn);
    } catch (error) {
      // Deno's own iterator ends with a connection that is reset before it is accepted, as proxies do: begin anew.
      if (!(error instanceof Deno.errors.NotConnected)) throw error;
    }
  }
}

async function echo(conn: Deno.Conn) {
  using _ = conn;
  const buffer = new Uint8Array(64);
  for (let count; (count = await conn.read(buffer)) !== null;) await conn.write(buffer.subarray(0, count));
}

const [mode, maxPerClient] = Deno.args;
const limiter = new Limiter({ maxPerClient: Number(maxPerClient ?? Infinity) });
const ports = [closeAtOnce, (conn: Deno.Conn) => void echo(conn).catch(() => {})].map((handle) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  serve(mode === "limited" ? limitedListener(listener, limiter) : listener, handle);
  return listener.addr.port;
});
tell(ports, () => served);
