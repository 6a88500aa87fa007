/**
 * Whether a listener is half-open is seen at the first client that ends its side. Before that it may be lost.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { address, connect, KINDS } from "../support/bun/kinds.ts";
import { type Conn, limited } from "../support/bun/limited.ts";
import { pausesOf } from "../support/bun/pauses.ts";
import { printed } from "../support/console.ts";
import { aWhile, ended, leavingNoSocket, reply } from "../support/net.ts";
import { bytes, readText } from "../support/text.ts";

/** Reads to the end, and answers later. Resolves to the error of the answer, or to nothing. */
async function answerLate(conn: Conn): Promise<Error | undefined> {
  using _ = conn;
  while (await readText(conn).catch(() => null) !== null);
  await aWhile();
  return await conn.write(bytes("an answer")).then(() => undefined, (error) => error);
}

for (const kind of KINDS) {
  test(
    `limitedListener() tells onError of the first answer that a listener without allowHalfOpen loses (${kind.name})`,
    leavingNoSocket(async () => {
      const told: unknown[] = [];
      using listener = limited(kind, {}, { onError: (error) => told.push(error) });
      for (const _ of [1, 2]) {
        using client = await connect(kind, listener.addr.port);
        const answering = listener.accept().then(answerLate);
        client.socket.end("a request");
        assertStrictEquals(await ended(client), kind.halfOpen ? "an answer" : "");
        const error = await answering;
        if (kind.halfOpen) {
          assertStrictEquals(error, undefined);
        } else {
          assertStrictEquals(error!.name, "BrokenPipe");
          assert(error!.message.includes("Bun.listen() lacks allowHalfOpen: true"), error!.message);
        }
      }
      assertEquals(told.map((error) => (error as Error).name), kind.halfOpen ? [] : ["BrokenPipe"]);
    }),
  );
}

for (const kind of KINDS.filter(({ halfOpen }) => !halfOpen)) {
  test(
    `limitedListener() prints the first lost answer without onError (${kind.name})`,
    leavingNoSocket(async () => {
      using listener = limited(kind);
      const calls = await printed(async () => {
        for (const _ of [1, 2]) {
          using client = await connect(kind, listener.addr.port);
          const answering = listener.accept().then(answerLate);
          client.socket.end("a request");
          await Promise.all([ended(client), answering]);
        }
      });
      assertStrictEquals(calls.length, 1);
      assert(`${calls[0]![1]}`.includes("allowHalfOpen"));
    }),
  );

  test(
    `limitedListener() reports no lost answer of a connection that was closed or reset (${kind.name})`,
    leavingNoSocket(async () => {
      const told: unknown[] = [];
      using listener = limited(kind, {}, { onError: (error) => told.push(error) });
      const uses = {
        "closed": (conn: Conn) => conn.close(),
        "read to its end": (conn: Conn) => new Response(conn.readable).text(),
      };
      for (const use of Object.values(uses)) {
        using client = await connect(kind, listener.addr.port);
        using conn = await listener.accept();
        client.socket.resume().end("a request");
        await use(conn);
        await aWhile();
        await conn.write(bytes("late")).catch(() => {});
      }
      using client = await connect(kind, listener.addr.port);
      const conn = await listener.accept();
      client.reset();
      await readText(conn).catch(() => {});
      await conn.write(bytes("late")).catch(() => {});
      assertEquals(told, []);
    }),
  );
}

for (const kind of KINDS) {
  test(
    `limitedListener() sees at the first FIN that a listener is half-open, and then pauses less (${kind.name})`,
    leavingNoSocket(async () => {
      using listener = limitedListener(Bun.listen({ ...address(kind), socket: { data() {} } }));
      const pauses: number[] = [];
      for (const _ of [1, 2]) {
        using client = await connect(kind, listener.addr.port);
        using conn = await listener.accept();
        const count = pausesOf(conn);
        for (const words of ["one", "two", "three"]) {
          const answer = reply(client, words);
          await conn.write(bytes((await readText(conn))!));
          assertStrictEquals(await answer, words);
        }
        pauses.push(count());
        client.socket.end();
        while (await readText(conn) !== null);
        await aWhile();
      }
      assert(pauses[0]! > 0);
      assertStrictEquals(pauses[1] === 0, kind.halfOpen);
    }),
  );
}
