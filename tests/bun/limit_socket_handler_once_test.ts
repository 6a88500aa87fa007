/**
 * A limiter that a socket meets twice.
 *
 * @module
 */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { connectFrom, ended, eventually, reply } from "../support/net.ts";
import { type Handlers, serve } from "../support/bun/with_served.ts";
import { connect, KINDS } from "../support/bun/kinds.ts";
import { testSockets as test } from "../support/bun/test_sockets.ts";

test("limitSocketHandler() refuses a limiter that the handlers have already, and takes another", async () => {
  const limiter = new Limiter();
  const inner = limitSocketHandler(limiter, { data() {} });
  const outer = limitSocketHandler({}, inner);
  for (const handlers of [inner, outer]) {
    assertThrows(
      () => limitSocketHandler(limiter, handlers),
      TypeError,
      "limiter must be one that the socket handler does not have already",
    );
  }
  limitSocketHandler(new Limiter(), outer);
  await Promise.resolve();
});

for (const kind of KINDS) {
  test(`limitSocketHandler() counts once a socket that meets the limiter again (${kind.name})`, async () => {
    const limiter = new Limiter({ maxPerClient: 1 });
    const handlers: Handlers = { data: (socket, data) => void socket.write(data) };
    // A copy is not known as limited.
    const listener = serve(kind, limitSocketHandler(limiter, { ...limitSocketHandler(limiter, handlers) }));
    for (let round = 1; round <= 3; round++) {
      const client = await connect(kind, listener.port);
      assertStrictEquals(await reply(client, "words"), "words");
      assertEquals([limiter.open, limiter.stats().admitted], [1, round]);
      using second = await connectFrom("127.0.0.1", listener.port);
      await ended(second);
      assertStrictEquals(limiter.stats().refused, round);
      client.fin();
      await eventually(() => limiter.open === 0, "the slot to be free");
    }
    listener.stop(true);
  });
}
