/**
 * A server to put load on, in a process of its own so that its CPU time is its own.
 *
 *   deno run -A bench/server.ts MODE
 *
 * Prints its port. For each line on standard input it prints how many connections it has served and how many
 * microseconds of CPU time it has used since it started.
 *
 * @module
 */

import { limitedListener, type LimitsOptions } from "../mod.ts";
import { tell } from "./tell.ts";

/** Connections from here are echoed; the others are the flood. */
export const PROBE = "127.9.9.9";

/** What a server does with its connections. */
export type Mode = "bare" | "admit" | "refuse";

let served = 0;

/** The consumer's side, the same in every mode: close at once, but for the probe. */
async function consume(conns: AsyncIterable<Deno.TcpConn>) {
  for await (const conn of conns) {
    if (conn.remoteAddr.hostname === PROBE) {
      echo(conn);
    } else {
      served++;
      conn.close();
    }
  }
}

async function echo(conn: Deno.Conn) {
  using _ = conn;
  const buffer = new Uint8Array(1024);
  for (let count; (count = await conn.read(buffer).catch(() => null)) !== null;) {
    await conn.write(buffer.subarray(0, count));
  }
}

if (import.meta.main) {
  const listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const limited = (limits: LimitsOptions) => limitedListener(listener, limits, { onRefused: () => void served++ });
  const modes: Record<Mode, () => AsyncIterable<Deno.TcpConn>> = {
    bare: () => listener,
    admit: () => limited({ maxPerClient: Infinity }),
    refuse: () => limited({ maxPerClient: 0, networks: { [PROBE]: { maxPerClient: Infinity } } }),
  };
  consume(modes[Deno.args[0] as Mode]());
  tell([listener.addr.port], () => served);
}
