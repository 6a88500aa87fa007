/**
 * The deadlines of limited handlers: what `limited_listener_deadlines_test.ts` does not have of them.
 *
 * @module
 */

import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { pass, T } from "../support/deadline_trial.ts";
import { address, PLAIN } from "../support/bun/kinds.ts";
import { certificate, connectFrom, eventually, leavingNoSocket, reply, within } from "../support/net.ts";

type Handlers = Bun.SocketHandler<undefined>;
type Socket = Bun.Socket<undefined>;

test("limitSocketHandler() refuses a deadline that is none, naming it", () => {
  const limit = (options: object) => limitSocketHandler({}, { data() {} }, options);
  assertThrows(() => limit({ idleTimeout: 0 }), RangeError, "idleTimeout must be milliseconds from 1");
  assertThrows(() => limit({ maxAge: "1" }), TypeError, 'maxAge must be a number, got "1"');
  assertThrows(() => limit({ onTimeout: 1 }), TypeError, "onTimeout must be a function, got 1");
  assertThrows(() => limit({ idle: 1 }), TypeError, 'unknown socket handler option "idle"');
});

test(
  "deadlines of limitSocketHandler() go on when a connection is upgraded to TLS",
  leavingNoSocket(async () => {
    const limiter = new Limiter();
    const started: Socket[] = [];
    const handlers: Handlers = {
      open: (socket) => void started.push(socket),
      data(socket, data) {
        if (data.toString() !== "starttls") return;
        socket.upgradeTLS({
          isServer: true,
          tls: certificate(),
          socket: { data: (tls: Socket, data: Uint8Array) => void tls.write(data) },
        } as never);
      },
    };
    const options = { firstByteTimeout: T, idleTimeout: T };
    const listener = Bun.listen<undefined>({
      ...address(PLAIN),
      socket: limitSocketHandler(limiter, handlers, options),
    });
    using client = await connectFrom("127.0.0.1", listener.port);
    client.socket.write("starttls");
    await eventually(() => started.length === 1, "the connection");
    await pass(T / 4);
    const tls = connectTls({ socket: client.socket, servername: "localhost", ca: certificate().cert });
    tls.on("error", () => {});
    await within(once(tls, "secureConnect"), "the handshake");
    for (let i = 0; i < 3; i++) {
      await pass(T * 0.7);
      assertEquals(await reply({ ...client, socket: tls }, "hello"), "hello");
    }
    assertEquals(limiter.open, 1);
    await eventually(() => limiter.open === 0, "the deadline");
    assertEquals(limiter.stats().timedOut, { firstByte: 0, idle: 1, maxAge: 0 });
    tls.destroy();
    listener.stop(true);
  }),
);
