/**
 * A worker or a child process that shares limits with others by the store of its parent. Its parent tells it what to do, and,
 * if it is a thread, counts with it in memory that they share, which no store knows.
 *
 * @module
 */

import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import type { Slot } from "@connlimit/connlimit";
import { ChannelStore, StoreLimiter } from "@connlimit/connlimit/shared";
import { LEVELS, type SharedLevelName } from "../../../stress/shared/levels.ts";
import { Channel, type ChannelLike } from "../../../src/shared/channel.ts";
import { parentChannel } from "../../../src/shared/parent_channel.ts";
import { clientOf, SHARING, take } from "./taking.ts";

const parent = parentChannel();
const limiter = new StoreLimiter({ maxPerClient: 10 }, new ChannelStore(), SHARING);
const held: Slot[] = [];
let counted: Int32Array<ArrayBufferLike> = new Int32Array();

const COMMANDS: Readonly<Record<string, (...args: number[]) => unknown>> = {
  async take(count, client) {
    const slots = await take(limiter, count!, client);
    held.push(...slots);
    return slots.length;
  },
  give(count) {
    for (const slot of held.splice(0, count)) slot.release();
    return held.length;
  },
  status: () => limiter.status,
  async flood(ms) {
    const before = limiter.stats().asked;
    let attempts = 0;
    for (const end = performance.now() + ms!; performance.now() < end; attempts++) {
      const admission = await limiter.tryAccept(clientOf());
      if (admission.admitted) admission.release();
      if (attempts % 100 === 99) await wait(0);
    }
    return [attempts, limiter.stats().asked - before];
  },
  async crowd(ms, holdMs) {
    const end = performance.now() + ms!;
    const names = Object.keys(LEVELS) as SharedLevelName[];
    await Promise.all(names.map((name, at) => crowd(name, at * 12, end, holdMs!)));
    return "done";
  },
  async close() {
    await limiter.close();
    return "closed";
  },
  block(ms) {
    for (const end = performance.now() + ms!; performance.now() < end;);
    return "back";
  },
  fail() {
    setTimeout(() => {
      throw new Error("the end of a worker");
    });
  },
  exit: () => process.exit(),
  /** Leaves the channel, and goes on for a while. */
  async leave() {
    process.disconnect!();
    while (limiter.status === "up") await wait(1);
    const [slot] = await take(limiter, 1, 99);
    await wait(150);
    process.exit(slot === undefined && limiter.open === held.length ? 42 : 1);
  },
};

/** Opens connections at all keys of a level, holds them for a while, and closes them. */
async function crowd(name: SharedLevelName, first: number, end: number, holdMs: number): Promise<void> {
  const { keys, max, limits, addressOf } = LEVELS[name];
  const store = new ChannelStore({ name });
  const shared = new StoreLimiter(limits, store, SHARING);
  while (shared.status !== "up") await wait(1);
  const place = async (key: number) => {
    const at = 2 * (first + key);
    while (performance.now() < end) {
      const slot = await shared.tryAccept(addressOf(key + 1));
      if (slot.admitted) {
        const open = Atomics.add(counted, at, 1) + 1;
        if (open > Atomics.load(counted, at + 1)) Atomics.store(counted, at + 1, open);
        await wait(Math.random() * 2 * holdMs);
        Atomics.sub(counted, at, 1);
        slot.release();
      } else {
        await wait(5 + Math.random() * 10);
      }
    }
  };
  await Promise.all(
    Array.from({ length: keys }, (_, key) => Array.from({ length: Math.ceil(max / 1.5) }, () => place(key))).flat(),
  );
  await shared.close();
  store.close();
}

const channel = new Channel(parent, {
  async heard([word, ...args]) {
    const command = COMMANDS[String(word)];
    if (command !== undefined) channel.post(["said", await command(...args as number[])]);
  },
  ended() {},
});

/** The memory comes by a message of its own, which a channel of processes could not carry. */
function share(event: unknown): void {
  const { memory } = ((event as { data?: unknown })?.data ?? event) as { memory?: SharedArrayBuffer };
  if (memory instanceof SharedArrayBuffer) counted = new Int32Array(memory);
}
const { on, addEventListener } = parent as ChannelLike;
if (typeof on === "function") on.call(parent, "message", share);
else addEventListener!.call(parent, "message", share);

while (limiter.status !== "up") await wait(1);
channel.post(["said", "ready"]);
