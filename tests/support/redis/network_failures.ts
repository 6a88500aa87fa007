/**
 * Failures between one limiter and the store: what comes late, twice or never.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { dead, type Failure, fill, seen, soon } from "./failure.ts";
import { Lab, LIMIT, until } from "./lab.ts";

/** Those between one limiter and the store. */
export const NETWORK_FAILURES: readonly Failure[] = [
  {
    name: "a black hole for one instance",
    // It holds on to what it has, while the others take its place.
    over: LIMIT / 2,
    heals: dead,
    async run({ pace, redis }) {
      await using lab = await Lab.start({ pace, redis });
      const [lost, other] = lab.instances;
      await fill(lab);
      lab.relays[0]!.swallow();
      await lab.down(lost!);
      await until(async () => (await lab.take(1, other), other!.held.length === LIMIT), "its place to be taken");
      const { over } = lab;
      lab.relays[0]!.pass();
      lab.relays[0]!.cut();
      const since = performance.now();
      await lab.up();
      // Both have told what they hold, which is too much.
      await until(async () => {
        other!.give(1);
        return await lab.take(1, other) === 0;
      }, "the counts to be those of both");
      for (const instance of lab.instances) instance.give();
      return await seen(lab, since, over);
    },
  },
  {
    name: "replies that come after the deadline",
    over: 0,
    heals: soon,
    async run({ pace, redis }) {
      await using lab = await Lab.start({ pace, redis });
      const [first] = lab.instances;
      lab.relays[0]!.judge = () => ({ delayReply: pace.deadlineMs * 3 });
      assertStrictEquals(await lab.take(LIMIT, first), 0);
      lab.relays[0]!.pass();
      return await seen(lab);
    },
  },
  {
    name: "commands that are executed twice",
    over: 0,
    heals: soon,
    async run({ pace, redis }) {
      await using lab = await Lab.start({ pace, redis });
      for (const relay of lab.relays) relay.judge = ([command]) => /^EVAL/i.test(command!) ? { times: 2 } : undefined;
      for (let i = 0; i < 50; i++) {
        for (const instance of lab.instances) instance.give(i % 3);
        await lab.take(1 + i % 4);
      }
      return await seen(lab);
    },
  },
  {
    name: "a command that is executed after a later one",
    over: 0,
    heals: soon,
    async run({ pace, redis }) {
      const late: (() => Promise<unknown>)[] = [];
      let holding = false;
      await using lab = await Lab.start({
        ...{ pace, redis },
        tamper: (send) => async (args, key) => {
          if (!holding) return await send(args, key);
          late.push(() => send(args, key));
          return await new Promise<never>(() => {});
        },
      });
      const [first, second] = lab.instances;
      await lab.hold(3, first);
      holding = true;
      first!.give();
      await until(() => late.length > 0, "the release to be sent");
      await lab.down(first!);
      holding = false;
      await lab.up();
      await until(async () => (await lab.take(1, first), first!.held.length === LIMIT), "the limit to be reached");
      // What comes now says that the first holds nothing.
      for (const execute of late) await execute();
      await lab.take(LIMIT, second);
      return await seen(lab);
    },
  },
  {
    name: "NOSCRIPT",
    over: 0,
    heals: soon,
    async run({ pace, redis }) {
      // A busy machine may answer late. That is not what is looked for.
      await using lab = await Lab.start({ pace: { ...pace, deadlineMs: 700, deadMs: 3_000, keyTtlMs: 9_000 }, redis });
      await lab.hold(2);
      const { unanswered } = lab.instances[0]!.limiter.stats();
      await lab.redis.ask("SCRIPT", "FLUSH");
      await lab.hold(3);
      assertStrictEquals(lab.instances[0]!.limiter.stats().unanswered, unanswered, "nobody notices");
      return await seen(lab);
    },
  },
  {
    name: "the clock of this machine steps",
    over: 0,
    heals: soon,
    async run({ pace, redis }) {
      await using lab = await Lab.start({ pace, redis });
      await fill(lab);
      const { now } = Date;
      try {
        for (const step of [3_600_000, -3_600_000]) {
          Date.now = () => now() + step;
          await new Promise((resolve) => setTimeout(resolve, 2 * pace.heartbeatMs));
          assertStrictEquals(await lab.take(1), 0);
          assertEquals(lab.instances.map(({ limiter }) => limiter.status), ["up", "up"]);
        }
      } finally {
        Date.now = now;
      }
      lab.instances[0]!.give();
      return await seen(lab);
    },
  },
];
