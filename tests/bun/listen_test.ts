import { test } from "node:test";
import { assertStrictEquals, assertThrows } from "@std/assert";
import { listen } from "@connlimit/connlimit/bun";
import { closeAll, keepAll } from "../support/listeners.ts";
import { aWhile, connectFrom, ended, leavingNoSocket } from "../support/net.ts";

test(
  "listen() is a listener by itself, without limits",
  leavingNoSocket(async () => {
    using listener = listen({ hostname: "127.0.0.1", port: 0 });
    const kept = keepAll(listener);
    const clients = await Promise.all([1, 2, 3].map(() => connectFrom("127.0.0.1", listener.addr.port)));
    await aWhile();
    listener.close();
    const conns = await kept;
    assertStrictEquals(conns.length, 3);
    closeAll(conns);
    await Promise.all(clients.map(ended));
  }),
);

test("listen() refuses bad options, and tells of a port that is taken", () => {
  // deno-lint-ignore no-explicit-any
  const make = (options: any) => () => listen(options);
  assertThrows(make({ port: 0, backlog: 5 }), TypeError, 'unknown listen option "backlog"');
  assertThrows(make(7000), TypeError, "options must be a plain object, got 7000");
  using listener = listen({ hostname: "127.0.0.1", port: 0 });
  assertThrows(make({ hostname: "127.0.0.1", port: listener.addr.port }), Error, "");
});
