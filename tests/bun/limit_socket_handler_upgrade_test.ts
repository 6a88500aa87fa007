/**
 * A connection that is upgraded to TLS continues on other sockets, and keeps its slot.
 *
 * @module
 */

import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import { assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { certificate, type Client, connectFrom, eventually, openSockets, within } from "../support/net.ts";
import { data, type Listener, serve } from "../support/bun/with_served.ts";
import { PLAIN } from "../support/bun/kinds.ts";
import { testSockets as test } from "../support/bun/test_sockets.ts";

test("limitSocketHandler() frees the slot of a connection that was upgraded to TLS, however it ends", async () => {
  type Upgraded = [raw: Bun.Socket<unknown>, tls: Bun.Socket<unknown>];
  const ends: Record<string, (upgraded: Upgraded, client: Client, listener: Listener) => unknown> = {
    "tls.end()": ([, tls]) => tls.end(),
    "tls.terminate()": ([, tls]) => tls.terminate(),
    "raw.end()": ([raw]) => raw.end(),
    "raw.terminate()": ([raw]) => raw.terminate(),
    // Which leaves such a connection open.
    "stop(true) and RST": (_, client, listener) => {
      listener.stop(true);
      client.reset();
    },
    "FIN": (_, client) => client.fin(),
    "RST": (_, client) => client.reset(),
    "garbage": (_, { socket }) => socket.write("GET / HTTP/1.1\r\n\r\n"),
  };
  for (const [name, end] of Object.entries(ends)) {
    for (const halfOpen of [true, false]) {
      const before = openSockets();
      const limiter = new Limiter();
      let upgraded: Upgraded | undefined;
      const listener = serve(
        { ...PLAIN, halfOpen },
        limitSocketHandler(limiter, {
          open(socket) {
            upgraded = socket.upgradeTLS({
              isServer: true,
              tls: certificate(),
              socket: { data, end: (socket: Bun.Socket<unknown>) => void socket.end() },
            } as never) as unknown as Upgraded;
          },
          data,
        }),
      );
      using client = await connectFrom("127.0.0.1", listener.port);
      await eventually(() => upgraded !== undefined, "the upgrade");
      if (name !== "garbage") {
        const tls = connectTls({ socket: client.socket, servername: "localhost", ca: certificate().cert });
        tls.on("error", () => {});
        await within(once(tls, "secureConnect"), "the handshake");
      }
      assertStrictEquals(limiter.open, 1);
      end(upgraded!, client, listener);
      await eventually(() => limiter.open === 0, `the slot to be free after ${name}`);
      client[Symbol.dispose]();
      listener.stop(true);
      await eventually(() => openSockets() === before, "every socket to be closed");
    }
  }
});
