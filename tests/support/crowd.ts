/**
 * Crowds: connections that many clients open and end in every way at once, and servers that treat them in every way.
 *
 * @module
 */

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { Limiter } from "@connlimit/connlimit";
import type { Conn } from "./endings.ts";
import { type Client, eventually, within } from "./net.ts";
import { Random } from "../../testing/random.ts";

/** Numbers that look random and are the same again for the same seed. */
export function randomly(seed: number): (below: number) => number {
  const random = new Random(seed);
  return (below) => random.integer(0, below - 1);
}

/** One of several, at random. */
export function pick<T>(random: (below: number) => number, values: readonly T[]): T {
  return values[random(values.length)]!;
}

/** How a server may treat a connection; each lets go of it in the end, however the client behaves. */
const SERVERS: readonly ((conn: Conn) => Promise<unknown> | void)[] = [
  (conn) => conn.close(),
  (conn) => conn[Symbol.dispose](),
  (conn) => conn.readable.pipeTo(conn.writable),
  (conn) => conn.readable.pipeTo(conn.writable, { preventClose: true }),
  (conn) => conn.readable.cancel(),
  (conn) => conn.writable.abort(),
  (conn) => conn.writable.close(),
  (conn) => new Response(conn.readable).arrayBuffer(),
  async (conn) => {
    using _ = conn;
    const buffer = new Uint8Array(16);
    while (await conn.read(buffer) !== null);
  },
  async (conn) => {
    using _ = conn;
    await conn.write(new Uint8Array(1 << 20));
    await conn.closeWrite();
  },
  async (conn) => {
    using _ = conn;
    await conn.closeWrite();
    while (await conn.read(new Uint8Array(1 << 16)) !== null);
  },
  async (conn) => {
    const [one, other] = conn.readable.tee();
    await Promise.all([one.cancel(), other.cancel()]);
  },
  (conn) => {
    const pending = Promise.all([conn.read(new Uint8Array(1)), conn.write(new Uint8Array(1 << 20))]);
    conn.close();
    return pending;
  },
];

/** How a client may behave. */
export const CLIENTS: readonly ((client: Client) => void)[] = [
  ({ socket }) => void socket.end("some words"),
  ({ socket }) => void socket.end(new Uint8Array(1 << 18)),
  ({ socket }) => void socket.destroy(),
  (client) => client.reset(),
  (client) => client.fin(),
  (client) => void client.socket.write("some words", () => client.reset()),
];

/** Treats every connection in one of these ways, until the listener is closed. */
export async function treatAll(listener: AsyncIterable<Conn>, random: (below: number) => number): Promise<void> {
  for await (const conn of listener) {
    // Whatever fails, the client may have brought about.
    (async () => await pick(random, SERVERS)(conn))().catch(() => {});
  }
}

/** Has so many visits made, some at once. */
async function crowd(visits: number, atOnce: number, visit: () => Promise<void>): Promise<void> {
  let left = visits;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (left-- > 0) await visit();
  }));
}

/** A crowd at a limiter. */
export interface Crowd {
  readonly connections: number;
  /** How many visits are made at once. */
  readonly atOnce: number;
  /** The most connections that may be open at once. */
  readonly maxOpen: number;
  /** The limiter admits more than so many. */
  readonly minAdmitted: number;
  /** The connections that were gone before they could be accepted; none by default. */
  readonly failed?: () => number;
  /** Connects once, from this address. */
  readonly visit: (localAddress: string) => Promise<void>;
}

/** Has clients at four addresses connect, and waits until all of them are gone. Fails where a slot is left. */
export async function leavesNothing(limiter: Limiter, random: (below: number) => number, its: Crowd): Promise<void> {
  const { connections, atOnce, maxOpen, minAdmitted, failed = () => 0, visit } = its;
  await crowd(connections, atOnce, () => visit(`127.0.0.${1 + random(4)}`));
  const seen = () => limiter.stats().admitted + limiter.stats().refused + failed();
  await eventually(() => seen() >= connections, "every connection to be answered");
  await within(limiter.idle(), "every slot to be free");
  assertEquals([limiter.open, limiter.stats().clients, [...limiter.clients()]], [0, 0, []]);
  assertEquals(seen(), connections);
  const { peak, admitted, refused } = limiter.stats();
  assertLessOrEqual(peak, maxOpen);
  assert(admitted > minAdmitted && refused > 0, `${admitted} admitted, ${refused} refused`);
}
