/**
 * What clients do with servers that echo.
 *
 * @module
 */

import { within } from "../../testing/net.ts";
import type { Outcome, Visitor } from "./visitor.ts";

/** A visit, until it leaves or is turned away. */
export type Visit = (visitor: Visitor) => Promise<Outcome>;

/** What is sent: the same at the same place, and different at others. */
const BYTES = new Uint8Array(4 << 20).map((_, i) => i ^ i >> 8 ^ i >> 16);

/** Reads along what comes back of the first so many bytes. */
class Echo {
  readonly #visitor: Visitor;
  readonly #length: number;
  readonly #done: Promise<void>;
  #count = 0;
  #wrong = false;

  constructor(visitor: Visitor, length: number) {
    this.#visitor = visitor;
    this.#length = length;
    this.#done = new Promise((resolve) => {
      const { socket } = visitor.client;
      socket.on("data", (data: Uint8Array) => {
        visitor.admitted();
        const end = this.#count + data.length;
        if (!equal(data, BYTES.subarray(this.#count, end))) this.#wrong = true;
        this.#count = end;
        if (end >= length) resolve();
      });
      socket.once("close", () => resolve());
      if (socket.destroyed) resolve();
    });
  }

  /** Sends bytes. */
  send(from: number, to: number): void {
    this.#visitor.client.socket.write(BYTES.subarray(from, to));
  }

  /** Waits until all has come back. Resolves to whether it has. */
  async complete(): Promise<boolean> {
    await within(this.#done, "the echo");
    return this.#count === this.#length;
  }

  /** What to make of what has come. */
  outcome(): Outcome {
    if (this.#wrong || this.#count > this.#length) return "broken";
    if (this.#count === this.#length) return "served";
    if (this.#visitor.behaviour !== "echo") return "cut";
    return this.#count === 0 ? "refused" : "broken";
  }
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

/** What became of one that expects nothing. */
function staysAround(visitor: Visitor): Outcome {
  if (!visitor.closed) return "left";
  return visitor.behaviour === "echo" ? "refused" : "cut";
}

/** Sends so many bytes, has them echoed, and ends its side. */
function exchanges(least: number, most: number): (visitor: Visitor) => Promise<Outcome> {
  return async (visitor) => {
    const length = visitor.random.integer(least, most);
    const echo = new Echo(visitor, length);
    echo.send(0, length);
    await echo.complete();
    await visitor.end();
    return echo.outcome();
  };
}

/** The same, but stays for a while. */
async function stays(visitor: Visitor): Promise<Outcome> {
  const length = visitor.random.integer(1, 100);
  const echo = new Echo(visitor, length);
  echo.send(0, length);
  if (await echo.complete()) await visitor.wait(visitor.random.wait(2_000));
  await visitor.leave();
  return echo.outcome();
}

/** Ends its side at once, and has all echoed even so. */
async function halfCloses(visitor: Visitor): Promise<Outcome> {
  const length = visitor.random.integer(1, 32 << 10);
  const echo = new Echo(visitor, length);
  echo.send(0, length);
  visitor.saysGoodBye();
  visitor.client.fin();
  await echo.complete();
  await visitor.end();
  return echo.outcome();
}

/** Sends a little at a time. */
async function sendsSlowly(visitor: Visitor): Promise<Outcome> {
  const pieces = visitor.random.integer(3, 10);
  const length = pieces * 100;
  const echo = new Echo(visitor, length);
  for (let i = 0; i < pieces && !visitor.closed; i++) {
    echo.send(i * 100, i * 100 + 100);
    await visitor.wait(150);
  }
  await echo.complete();
  await visitor.leave();
  return echo.outcome();
}

/** Says nothing. */
async function idles(visitor: Visitor): Promise<Outcome> {
  // It reads, or it would not see the end.
  visitor.client.socket.resume();
  await visitor.wait(visitor.random.wait(3_000));
  const outcome = staysAround(visitor);
  await visitor.leave();
  return outcome;
}

/** Sends more than fits between the two of them, and reads nothing of it. */
async function neverReads(visitor: Visitor): Promise<Outcome> {
  visitor.client.socket.pause();
  visitor.client.socket.write(BYTES);
  await visitor.wait(visitor.random.wait(1_000));
  const outcome = staysAround(visitor);
  visitor.abandon();
  return outcome;
}

/** Resets as soon as it is connected. */
// deno-lint-ignore require-await
async function resets(visitor: Visitor): Promise<Outcome> {
  visitor.saysGoodBye();
  visitor.client.reset();
  return "left";
}

/** Leaves in the midst of an echo. */
async function leavesEarly(visitor: Visitor): Promise<Outcome> {
  const echo = new Echo(visitor, BYTES.length);
  echo.send(0, 512 << 10);
  await visitor.wait(visitor.random.wait(5));
  const outcome = staysAround(visitor);
  visitor.abandon();
  return outcome;
}

/** How often what is done. */
export const ECHO_VISITS: readonly (readonly [weight: number, visit: Visit])[] = [
  [30, exchanges(1, 4 << 10)],
  [20, stays],
  [10, halfCloses],
  [3, exchanges(128 << 10, 1 << 20)],
  [10, sendsSlowly],
  [12, idles],
  [4, neverReads],
  [8, resets],
  [6, leavesEarly],
];
