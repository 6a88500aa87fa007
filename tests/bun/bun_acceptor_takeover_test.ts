/**
 * A listener of Bun's becomes a limited one, whatever it was before.
 *
 * @module
 */

import { once } from "node:events";
import { test } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { answered, closeAll, keepAll } from "../support/listeners.ts";
import { certificate, connectFrom, ended, eventually, leavingNoSocket } from "../support/net.ts";
import { runOutside } from "../support/outside.ts";
import { connect, KINDS } from "../support/bun/kinds.ts";
import { onLoopback } from "../support/bun/limited.ts";

for (const kind of KINDS) {
  test(
    `limitedListener() can take over a listener that is in use, and ends what it does not count (${kind.name})`,
    leavingNoSocket(async () => {
      let events = 0;
      const handler = () => void events++;
      const { allowHalfOpen, ...where } = {
        ...onLoopback,
        ...(kind.tls ? { tls: certificate() } : {}),
        allowHalfOpen: kind.halfOpen,
      };
      const native = Bun.listen({ ...where, allowHalfOpen, socket: { open: handler, data: handler, close: handler } });
      const early = await Promise.all([1, 2, 3].map(() => connect(kind, native.port)));
      await eventually(() => events === 3, "the early ones to be open");
      using listener = limitedListener(native, { maxPerClient: 1 });
      const { limiter } = listener;
      const kept = keepAll(listener);
      early[0]!.socket.write("a first byte");
      early[1]!.fin();
      early[2]!.reset();
      await Promise.all(early.map(ended));
      using client = await connect(kind, native.port);
      await eventually(() => limiter.open === 1, "the late one to be admitted");
      assertEquals([limiter.stats().admitted, events], [1, 3]);
      listener.close();
      closeAll(await kept);
      await ended(client);
    }),
  );
}

test("limitedListener() can be taken of a listener once, which then takes no other handlers", () => {
  const native = Bun.listen(onLoopback);
  using listener = limitedListener(native);
  assertThrows(() => limitedListener(native), TypeError, "not limited already");
  assertThrows(() => native.reload({ socket: { data() {} } }), TypeError, "reload()");
  const stopped = Bun.listen(onLoopback);
  stopped.stop();
  assertThrows(() => limitedListener(stopped), TypeError, "listener must be one that listens");
  listener.ref();
});

test("limitedListener() loses no connection that came before it in the same turn of the event loop", async () => {
  const handler = () => {
    throw new Error("a handler of before was called");
  };
  const native = Bun.listen({ ...onLoopback, socket: { open: handler, data: handler, close: handler } });
  runOutside(`
    import { connect } from "node:net";
    import { once } from "node:events";
    for (let i = 0; i < 5; i++) {
      const socket = connect(${native.port}, "127.0.0.1");
      await once(socket, "connect");
      socket.end("hello " + i);
      await once(socket, "finish");
    }
    process.exit();
  `);
  using listener = limitedListener(native, { maxPerClient: 4 });
  await answered(listener.limiter, 5);
  assertEquals([listener.limiter.open, listener.limiter.stats().refused], [4, 1]);
  for (let i = 0; i < 4; i++) {
    assertStrictEquals(await new Response((await listener.accept()).readable).text(), `hello ${i}`);
  }
  assertStrictEquals(listener.limiter.open, 0);
});

test("limitedListener() leaves a listener alone when its limits or options are wrong", async () => {
  const native = Bun.listen({ ...onLoopback, socket: { data: (socket) => void socket.write("not limited") } });
  assertThrows(() => limitedListener(native, { maxPerClient: -1 }), RangeError, "maxPerClient");
  assertThrows(() => limitedListener(native, {}, { onRefuse() {} } as never), TypeError, '"onRefuse"');
  const client = () => "192.0.2.7";
  assertThrows(
    () => limitedListener(native, {}, { client } as never),
    TypeError,
    "client must be made by proxyProtocol()",
  );
  assertThrows(() => limitedListener(Bun.serve as never), TypeError, "listener must be a listener of Deno's or Bun's");
  using alone = await connectFrom("127.0.0.1", native.port);
  const data = once(alone.socket, "data");
  alone.socket.write("hello");
  assertStrictEquals(`${(await data)[0]}`, "not limited");
  native.stop(true);
});
