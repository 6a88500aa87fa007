/**
 * Objects get a prototype in front of their own.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { extendPrototype, streamAccessors } from "../../src/conn/extend_prototype.ts";
import type { ConnLike } from "../../src/conn/limited_conn.ts";

class Native {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  greet(): string {
    return `native ${this.name}`;
  }
}

class Other extends Native {}

test("extendPrototype() inserts one prototype for all objects that have the same, and leaves others alone", () => {
  const made: object[] = [];
  const extend = extendPrototype<Native>((native) => {
    made.push(native);
    return { __proto__: native, greet: () => "extended" };
  });
  const [one, two, other, untouched] = [new Native("1"), new Native("2"), new Other("3"), new Native("4")];
  for (const object of [one, two, other]) extend(object);
  assertEquals([one, two, other, untouched].map((object) => object.greet()), [
    "extended",
    "extended",
    "extended",
    "native 4",
  ]);
  assertStrictEquals(Object.getPrototypeOf(one), Object.getPrototypeOf(two));
  assertStrictEquals(made.length, 2);
  assertStrictEquals(made[0], Native.prototype);
  assertStrictEquals(made[1], Other.prototype);
  assertStrictEquals(Object.getPrototypeOf(Object.getPrototypeOf(one)), Native.prototype);
  assert(one instanceof Native && other instanceof Other);
  assertEquals([Object.keys(one), one.name], [["name"], "1"]);
});

test("extendPrototype() leaves an object as it was where no prototype can be made", () => {
  let fail = true;
  const extend = extendPrototype<Native>((native) => {
    if (fail) throw new Error("no connection");
    return Object.create(native);
  });
  const object = new Native("1");
  let thrown: unknown;
  try {
    extend(object);
  } catch (error) {
    thrown = error;
  }
  assertStrictEquals((thrown as Error).message, "no connection");
  assertStrictEquals(Object.getPrototypeOf(object), Native.prototype);
  fail = false;
  extend(object);
  assert(Object.getPrototypeOf(object) !== Native.prototype);
});

/** A connection that reads one chunk and its end, and writes down what is written. */
class Conn {
  readonly log: string[] = [];
  #reads = 0;

  read(buffer: Uint8Array): Promise<number | null> {
    this.log.push("read");
    buffer.set([7]);
    return Promise.resolve(this.#reads++ === 0 ? 1 : null);
  }

  write(data: Uint8Array): Promise<number> {
    this.log.push(`write ${data.length}`);
    return Promise.resolve(data.length);
  }

  [Symbol.dispose](): void {
    this.log.push("dispose");
  }
}

/** A connection with streams that `ioOf` makes. */
function withStreams(ioOf: (conn: ConnLike) => Pick<ConnLike, "read" | "write">): Conn & ConnLike {
  return Object.defineProperties(new Conn(), streamAccessors(ioOf)) as Conn & ConnLike;
}

test("streamAccessors() make each stream once, when it is first asked for", () => {
  let asked = 0;
  const conn = withStreams((conn) => {
    asked++;
    return conn;
  });
  assertStrictEquals(asked, 0);
  assertStrictEquals(conn.readable, conn.readable);
  assertStrictEquals(asked, 1);
  assertStrictEquals(conn.writable, conn.writable);
  assertStrictEquals(asked, 2);
  const other = withStreams((conn) => conn);
  assert(other.readable !== conn.readable && other.writable !== conn.writable);
});

test("streamAccessors() make streams of the given methods, whose ends dispose of the connection", async () => {
  const conn = withStreams((conn) => ({
    read: (buffer) => conn.read(buffer),
    write: (data) => conn.write(data.subarray(0, 2)),
  }));
  const reader = conn.readable.getReader();
  assertEquals([...(await reader.read()).value!], [7]);
  assertStrictEquals((await reader.read()).done, true);
  assert(conn.log.includes("dispose"));
  const other = withStreams((conn) => ({
    read: (buffer) => conn.read(buffer),
    write: (data) => conn.write(data.subarray(0, 2)),
  }));
  const writer = other.writable.getWriter();
  await writer.write(new Uint8Array(3));
  assertEquals(other.log, ["write 2", "write 1"]);
  await writer.close();
  assertEquals(other.log, ["write 2", "write 1", "dispose"]);
});
