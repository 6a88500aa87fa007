/**
 * `onRefused` may do anything with a refused connection.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, withSlot } from "@connlimit/connlimit";
import type { BunConn } from "@connlimit/connlimit/bun";
import { keepAll } from "../support/listeners.ts";
import { aWhile, connectFrom, ended, eventually } from "../support/net.ts";
import { resetFromOutside } from "../support/outside.ts";
import { notLinux } from "../support/platform.ts";
import { KINDS, PLAIN } from "../support/bun/kinds.ts";
import { limited } from "../support/bun/limited.ts";
import { bytes } from "../support/text.ts";
import { turnedAway } from "../support/turned_away.ts";

test("limitedListener() lets onRefused say goodbye, and survives hooks that fail", async () => {
  const errors: unknown[] = [];
  let calls = 0;
  using listener = limited(PLAIN, { maxPerClient: 0 }, {
    onRefused(_, conn) {
      conn.write(bytes("busy"));
      calls++;
      if (calls === 2) throw new Error("thrown");
      if (calls === 3) return Promise.reject(new Error("rejected"));
      if (calls === 4) conn.close();
    },
    onError: (error) => void errors.push((error as Error).message),
  });
  const kept = keepAll(listener);
  for (let i = 0; i < 5; i++) {
    using client = await connectFrom("127.0.0.1", listener.addr.port);
    assertStrictEquals(await ended(client), "busy");
  }
  await eventually(() => errors.length === 2, "the errors");
  assertEquals(errors.toSorted(), ["rejected", "thrown"]);
  listener.close();
  assertEquals(await kept, []);
});

for (const kind of KINDS) {
  test(
    `limitedListener() lets no hook end the process by what it does not wait for (${kind.name})`,
    { skip: notLinux },
    async () => {
      let calls = 0;
      using listener = limited(kind, { maxPerClient: 0 }, {
        onRefused(_, conn) {
          calls++;
          conn.read(new Uint8Array(1));
          conn.write(bytes("busy"));
          conn.closeWrite();
          conn.write(bytes("too late"));
          conn.writable.getWriter().write(bytes("too late"));
          new Response(conn.readable).text();
        },
      });
      const kept = keepAll(listener);
      const { port } = listener.addr;
      // These would fail the test as unhandled rejections.
      resetFromOutside(port, 3);
      using client = await connectFrom("127.0.0.1", port);
      await ended(client);
      await eventually(() => calls === 4, "all to be refused");
      await aWhile();
      listener.close();
      assertEquals(await kept, []);
    },
  );
}

test("withSlot() frees at once the slot for a connection that was refused and is closed", async () => {
  const accounts = new Limiter();
  const refused: BunConn[] = [];
  using listener = limited(PLAIN, { maxPerClient: 0 }, { onRefused: (_, conn) => void refused.push(conn) });
  assertStrictEquals(await turnedAway(listener.addr.port), "FIN");
  assertStrictEquals(withSlot(refused[0]!, accounts.accept({ key: "alice" })).slot.released, true);
});
