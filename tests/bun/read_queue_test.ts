/**
 * When a Bun connection is paused: what reads keep up with costs no call of the system.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ReadQueue } from "../../src/bun/read_queue.ts";
import { SocketTraits } from "../../src/bun/socket_traits.ts";
import { connect, KINDS } from "../support/bun/kinds.ts";
import { limited } from "../support/bun/limited.ts";
import { pausesOf } from "../support/bun/pauses.ts";
import { leavingNoSocket, reply } from "../support/net.ts";
import { bytes, readText } from "../support/text.ts";

/** A queue on a socket that notes its pauses. */
function queueOn({ tls = false, halfOpen }: { tls?: boolean; halfOpen: boolean }) {
  const calls: string[] = [];
  const socket = { pause: () => void calls.push("pause"), resume: () => void calls.push("resume") };
  const traits = new SocketTraits(tls, halfOpen, () => {});
  return { calls, traits, queue: new ReadQueue(socket as never, traits) };
}

for (const kind of KINDS) {
  const ways: Record<string, (conn: Awaited<ReturnType<ReturnType<typeof limited>["accept"]>>) => Promise<unknown>> = {
    "pipeTo()": (conn) => conn.readable.pipeTo(conn.writable),
    "read() and write()": async (conn) => {
      for (let text; (text = await readText(conn)) !== null;) await conn.write(bytes(text));
      conn.close();
    },
  };
  for (const [name, echo] of Object.entries(ways)) {
    test(
      `ReadQueue pauses no half-open connection for the messages of an echo by ${name} (${kind.name})`,
      leavingNoSocket(async () => {
        using listener = limited(kind);
        using client = await connect(kind, listener.addr.port);
        const conn = await listener.accept();
        const pauses = pausesOf(conn);
        const echoing = echo(conn);
        for (let i = 0; i < 50; i++) assertStrictEquals(await reply(client, `message ${i}`), `message ${i}`);
        if (kind.halfOpen) assertStrictEquals(pauses(), 0);
        else assert(pauses() >= 50);
        client.socket.end();
        await echoing;
      }),
    );
  }
}

test("ReadQueue of a half-open connection is paused by the first chunk that no read waits for", async () => {
  const { calls, queue } = queueOn({ halfOpen: true });
  assertEquals(calls, []);
  const read = queue.readChunk();
  queue.push(bytes("one"));
  assertEquals([await read, calls], [bytes("one"), []]);
  queue.push(bytes("two"));
  assertEquals(calls, ["pause"]);
  // As much as was queued is read before the socket flows again.
  assertEquals(await queue.read(new Uint8Array(2)), 2);
  assertEquals(await queue.readChunk(), bytes("o"));
  assertEquals(calls, ["pause"]);
  const late = queue.readChunk();
  assertEquals(calls, ["pause", "resume"]);
  // Two chunks, as Bun may have read both before it heard of the pause.
  queue.push(bytes("three"));
  queue.push(bytes("four"));
  queue.push(bytes("five"));
  assertEquals([await late, await queue.readChunk(), await queue.readChunk()], ["three", "four", "five"].map(bytes));
  assertEquals(calls, ["pause", "resume", "pause"]);
});

test("ReadQueue flows only for reads where the peer's FIN closes the connection: without allowHalfOpen, and after a FIN", () => {
  const { calls, queue, traits } = queueOn({ halfOpen: false });
  assertEquals(calls, ["pause"]);
  queue.readChunk();
  queue.push(bytes("one"));
  assertEquals(calls, ["pause", "resume", "pause"]);
  traits.halfOpen = true;
  queue.readChunk();
  queue.push(bytes("two"));
  assertEquals(calls, ["pause", "resume", "pause", "resume"]);
  queue.closeWrite();
  queue.closeWrite();
  assertEquals(calls.slice(4), ["pause"]);
  queue.readChunk();
  queue.push(bytes("three"));
  assertEquals(calls.slice(4), ["pause", "resume", "pause"]);
});

test("ReadQueue does not pause before the handshake of TLS", () => {
  for (const halfOpen of [true, false]) {
    const { calls, queue } = queueOn({ tls: true, halfOpen });
    assertEquals(calls, []);
    queue.rest();
    assertEquals(calls, halfOpen ? [] : ["pause"]);
  }
});

test("ReadQueue that is stopped is paused, and takes nothing more", async () => {
  const { calls, queue } = queueOn({ halfOpen: true });
  queue.finish("eof");
  queue.stop();
  queue.stop();
  assertEquals([calls, await queue.readChunk()], [["pause"], null]);
});
