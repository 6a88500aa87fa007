/**
 * A process that opens and closes connections of twelve clients under a shared limit, and counts them in a store of its own.
 * Prints one line when it is ready and its result at the end.
 *
 *   sharer.ts LEVEL CLIENT PORT OBSERVER_PORT MS HOLD_MS
 *
 * @module
 */

import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { SharedLimiter } from "@connlimit/connlimit/redis";
import { CLIENTS } from "../../tests/support/redis/clients.ts";
import { Observer } from "../../tests/support/redis/observer.ts";
import { LEVELS, type SharedLevelName } from "./levels.ts";

/** What a process has seen. */
export interface Shared {
  readonly admitted: number;
  readonly refused: number;
  /** The most of one key that were open in all processes together. */
  readonly most: number;
  /** What ended in no promise that somebody waits for. */
  readonly unhandled: number;
}

const [levelName, clientName, port, observerPort, ms, holdMs] = process.argv.slice(2);
const level = LEVELS[levelName as SharedLevelName];
let [admitted, refused, most, unhandled] = [0, 0, 0, 0];
process.on("unhandledRejection", () => unhandled++);

const client = await CLIENTS[clientName!]!({ port: Number(port) });
const observer = await Observer.connect(Number(observerPort));
const limiter = new SharedLimiter(level.limits, { send: client.send, name: "exact" });
const end = performance.now() + Number(ms);

/** One place of one key: taken, held for a random time, given back, and again. */
async function worker(key: number): Promise<void> {
  while (performance.now() < end) {
    const slot = await limiter.tryAccept({ remoteAddr: { transport: "tcp", hostname: level.addressOf(key) } });
    if (!slot.admitted) {
      refused++;
      await wait(5 + Math.random() * 10);
      continue;
    }
    admitted++;
    // It is counted after it has opened, and no more before it closes, so that what is counted is open.
    most = Math.max(most, Number(await observer.ask("INCR", key)));
    await wait(Math.random() * 2 * Number(holdMs));
    await observer.ask("DECR", key);
    slot.release();
  }
}

const places = Array.from({ length: level.keys }, (_, key) => Array.from({ length: level.max }, () => worker(key + 1)));
await Promise.all(places.flat());
await limiter.close();
await client[Symbol.asyncDispose]();
observer[Symbol.dispose]();
console.log(JSON.stringify({ admitted, refused, most, unhandled } satisfies Shared));
