/**
 * A thousand connections that end in every way at once.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type LimitedConn, limitedListener } from "@connlimit/connlimit";
import { testUnless } from "../support/deno.ts";
import { type Client, connectFrom, ended, eventually, openSockets, within } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";

type Conn = LimitedConn<Deno.TcpConn>;

const ignore = () => {};

/** How a server may treat a connection; each lets go of it in the end, however the client behaves. */
const SERVERS: ((conn: Conn) => Promise<unknown> | void)[] = [
  (conn) => conn.close(),
  (conn) => conn[Symbol.dispose](),
  (conn) => conn.readable.pipeTo(conn.writable),
  (conn) => conn.readable.pipeTo(conn.writable, { preventClose: true }),
  (conn) => conn.readable.cancel(),
  (conn) => conn.writable.abort(),
  (conn) => conn.writable.close(),
  (conn) => new Response(conn.readable).arrayBuffer(),
  async (conn) => {
    using _ = conn;
    const buffer = new Uint8Array(16);
    while (await conn.read(buffer) !== null);
  },
  async (conn) => {
    using _ = conn;
    await conn.write(new Uint8Array(1 << 20));
    await conn.closeWrite();
  },
  async (conn) => {
    const [one, other] = conn.readable.tee();
    await Promise.all([one.cancel(), other.cancel()]);
  },
  (conn) => {
    const read = conn.read(new Uint8Array(1));
    conn.close();
    return read;
  },
];

/** How a client may behave. */
const CLIENTS: ((client: Client) => void)[] = [
  ({ socket }) => void socket.end("some words"),
  ({ socket }) => void socket.end(new Uint8Array(1 << 18)),
  ({ socket }) => void socket.destroy(),
  (client) => client.reset(),
  (client) => client.fin(),
  (client) => void client.socket.write("some words", () => client.reset()),
];

testUnless(oneAddress, "limitedListener() leaves nothing of a thousand connections that end in every way", async () => {
  const before = openSockets();
  const errors: unknown[] = [];
  {
    using listener = limitedListener(Deno.listen({ hostname: "127.0.0.1", port: 0 }), { maxPerClient: 5 }, {
      onError: (error) => void errors.push(error),
    });
    const { limiter, addr: { port } } = listener;
    let served = 0;
    const serving = (async () => {
      for await (const conn of listener) {
        const serve = SERVERS[served++ % SERVERS.length]!;
        (async () => await serve(conn))().catch(ignore);
      }
    })();
    let number = 0;
    const crowd = Array.from({ length: 40 }, async (_, visitor) => {
      for (let visit = 0; visit < 25; visit++) {
        using client = await connectFrom(`127.0.0.${1 + visitor % 4}`, port);
        CLIENTS[number++ % CLIENTS.length]!(client);
        await ended(client);
      }
    });
    await Promise.all(crowd);
    await eventually(() => {
      const { admitted, refused } = limiter.stats();
      return admitted + refused + listener.acceptErrors === 1_000;
    }, "every connection to be answered");
    await within(limiter.idle(), "every slot to be free");
    const { peak, admitted, refused } = limiter.stats();
    assert(peak <= 20, `${peak} were open at once`);
    assert(admitted > 300 && refused > 0, `${admitted} admitted, ${refused} refused`);
    assertEquals([limiter.open, [...limiter.clients()]], [0, []]);
    listener.close();
    await serving;
  }
  for (const error of errors) assert(error instanceof Deno.errors.NotConnected, String(error));
  await eventually(() => openSockets() === before, "every socket to be closed");
});
