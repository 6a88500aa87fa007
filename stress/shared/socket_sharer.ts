/**
 * An echo server whose limit is shared with other processes, for `sockets.ts`.
 *
 *   socket_sharer.ts CLIENT PORT_OF_REDIS
 *
 * @module
 */

import process from "node:process";
import { type ConnLike, limitedListener, type LimitsOptions, type ListenerLike } from "@connlimit/connlimit";
import { listen } from "@connlimit/connlimit/bun";
import { SharedLimiter } from "@connlimit/connlimit/redis";
import { serveCommands } from "../../bench/lib/commands.ts";
import { CLIENTS } from "../../tests/support/redis/clients.ts";

/** Full now and then at both levels. */
const LIMITS: LimitsOptions = { maxPerClient: 6, maxTotal: 60 };

const [clientName, port] = process.argv.slice(2);
let [unhandled, errors] = [0, 0];
process.on("unhandledRejection", () => unhandled++);

const client = await CLIENTS[clientName!]!({ port: Number(port) });
const limiter = new SharedLimiter(LIMITS, { send: client.send, name: "sockets" });
while (limiter.status !== "up") await new Promise((resolve) => setTimeout(resolve, 5));

const where = { hostname: "127.0.0.1", port: 0 };
const native = "Bun" in globalThis ? listen(where) : Deno.listen(where);
const listener = limitedListener(native as ListenerLike<ConnLike, { readonly port: number }>, limiter, {
  onError: () => void errors++,
});

async function echo(conn: ConnLike): Promise<void> {
  using _ = conn;
  const buffer = new Uint8Array(64);
  for (let count; (count = await conn.read(buffer)) !== null;) await conn.write(buffer.subarray(0, count));
}

async function serve(): Promise<void> {
  for await (const conn of listener) echo(conn).catch(() => {});
}
serve();

serveCommands({ port: listener.addr.port }, {
  stats: () => ({ ...limiter.stats(), errors, unhandled }),
  async close() {
    const closed = await listener.shutdown({ timeout: 0 });
    await limiter.close();
    await client[Symbol.asyncDispose]();
    return closed;
  },
});
