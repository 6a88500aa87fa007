/**
 * What real sockets do too seldom to test: they have room again before they say so.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { WriteQueue } from "../../src/bun/write_queue.ts";
import { nameOfError } from "../support/failures.ts";
import { bytes } from "../support/text.ts";

/** A queue on a socket that has room for so many bytes, with all that the socket was given. */
function queueWithRoom(room: number, full = false) {
  const given: string[] = [];
  const socket = {
    room,
    write(data: Uint8Array): number {
      if (this.room <= 0) return this.room;
      const part = data.subarray(0, this.room);
      this.room -= part.length;
      given.push(new TextDecoder().decode(part));
      return part.length;
    },
    shutdown() {
      given.push("end");
      this.room = -1;
    },
  };
  return { socket, given, queue: new WriteQueue(socket as never, full) };
}

test("WriteQueue lets no write overtake one that waits", async () => {
  const { socket, given, queue } = queueWithRoom(3);
  const writes = [queue.write(bytes("abcd")), queue.write(bytes("e"))];
  queue.drain();
  socket.room = 2;
  // There is room, but nobody has said so; and who has said so may have been wrong.
  writes.push(queue.write(bytes("fg")), queue.write(new Uint8Array()));
  const end = queue.closeWrite(() => given.push("ending"));
  assertEquals(given, ["abc"]);
  queue.drain();
  assertEquals(await Promise.all(writes), [3, 1, 1, 0]);
  await end;
  assertEquals(given, ["abc", "e", "f", "ending", "end"]);
  assertEquals(await nameOfError(queue.write(bytes("h"))), "BrokenPipe");
});

test("WriteQueue waits for the first drain where it is told to, and bears those that mean nothing", async () => {
  const { given, queue } = queueWithRoom(8, true);
  const writes = [queue.write(bytes("ab")), queue.write(bytes("cd"))];
  assertEquals(given, []);
  queue.drain();
  queue.drain();
  assertEquals(await Promise.all(writes), [2, 2]);
  assertEquals(await queue.write(bytes("ef")), 2);
  assertEquals(given, ["ab", "cd", "ef"]);
});

test("WriteQueue rejects what waits with the reason for which it ends, and what comes later, too", async () => {
  const { socket, queue } = queueWithRoom(0);
  const pending = [queue.write(bytes("a")), queue.closeWrite(() => {})].map(nameOfError);
  queue.finish(() => Object.assign(new Error(), { name: "ConnectionReset" }));
  assertEquals(await Promise.all(pending), ["ConnectionReset", "ConnectionReset"]);
  socket.room = 8;
  assertEquals(await nameOfError(queue.write(bytes("a"))), "ConnectionReset");
  queue.finish("closed");
  assertEquals(await nameOfError(queue.write(bytes("a"))), "BadResource");
  assertEquals(await nameOfError(queue.closeWrite(() => {})), "BadResource");
});
