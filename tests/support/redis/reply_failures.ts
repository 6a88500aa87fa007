/**
 * Errors and nonsense in place of replies.
 *
 * @module
 */

import { assert, assertStrictEquals } from "@std/assert";
import { type Failure, seen, SLACK, soon } from "./failure.ts";
import { Lab, LIMIT } from "./lab.ts";

function refusing(reply: string): Failure["run"] {
  return async ({ pace, redis }) => {
    await using lab = await Lab.start({ pace, redis });
    const [first, second] = lab.instances;
    await lab.hold(2, first);
    for (const relay of lab.relays) relay.judge = ([command]) => /^EVAL/i.test(command!) ? { reply } : undefined;
    assertStrictEquals(await lab.take(2), 0, "nobody is admitted while the store refuses");
    for (const instance of [first!, second!]) await lab.down(instance);
    first!.give(1);
    for (const relay of lab.relays) relay.pass();
    return await seen(lab);
  };
}

/** Sends the first limiter's commands in a way of its own, until they are passed on again. */
function sending(how: () => Promise<unknown>, plain = true): Failure["run"] {
  return async ({ pace, redis }) => {
    let broken = false;
    await using lab = await Lab.start({
      pace,
      redis,
      tamper: (send) => (args, key) => broken ? how() : send(args, key),
    });
    const [first, second] = lab.instances;
    await lab.hold(2, first);
    broken = true;
    const start = performance.now();
    assertStrictEquals(await lab.take(1, first), 0);
    assert(performance.now() - start < pace.deadlineMs + SLACK, "an answer comes by the deadline");
    // What Redis could answer to some of its commands does not show that the store is away.
    if (plain) await lab.down(first!);
    assert(await lab.take(LIMIT, second) <= LIMIT - 2);
    broken = false;
    second!.give();
    return await seen(lab);
  };
}

/** Those of the replies. */
export const REPLY_FAILURES: readonly Failure[] = [
  { name: "OOM", over: 0, heals: soon, run: refusing("-OOM command not allowed when used memory > 'maxmemory'.") },
  { name: "READONLY", over: 0, heals: soon, run: refusing("-READONLY You can't write against a read only replica.") },
  { name: "LOADING", over: 0, heals: soon, run: refusing("-LOADING Redis is loading the dataset in memory") },
  { name: "MOVED", over: 0, heals: soon, run: refusing("-MOVED 3999 127.0.0.1:1") },
  {
    name: "send() throws",
    over: 0,
    heals: soon,
    run: sending(() => {
      throw new Error("thrown");
    }),
  },
  { name: "send() rejects", over: 0, heals: soon, run: sending(() => Promise.reject(new Error("rejected"))) },
  { name: "send() never settles", over: 0, heals: soon, run: sending(() => new Promise(() => {})) },
  ...[undefined, null, "", "OK", 7, -1, NaN, [], [-1], [9e9, 9e9, 9e9], [[], []], {}].map((answer): Failure => ({
    name: `send() answers ${JSON.stringify(answer)}`,
    over: 0,
    heals: soon,
    run: sending(() => Promise.resolve(answer), !Array.isArray(answer)),
  })),
];
