/**
 * A crowd of pending connections that leave, time out, are admitted and are refused at random, on every adapter.
 *
 * @module
 */

import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { assert, assertEquals } from "@std/assert";
import { PendingStage } from "../../src/admission/pending_stage.ts";
import { pick, randomly } from "./crowd.ts";
import { connectFrom, ended, eventually, leavingNoSocket } from "./net.ts";
import type { Adapter } from "./pending_rules.ts";
import { type Question, SlowAdmitter } from "./slow_admitter.ts";

const CONNECTIONS = 1_000;
const AT_ONCE = 25;

/** What may come of a question, and after how many milliseconds. Some decisions come when the time is over, or about then. */
const ANSWERS: readonly [delay: number, answer: (question: Question) => unknown][] = [
  [0, (question) => question.decide()],
  [1, (question) => question.decide()],
  [5, (question) => question.decide()],
  [20, (question) => question.decide()],
  [40, (question) => question.decide()],
  [0, (question) => question.fail(new Error("no decision"))],
  [1, (question) => question.answer(undefined)],
];

/** Asks a crowd in, and fails where anything is left of it. */
export function leavesNothingPending(adapter: Adapter, seed: number): () => Promise<void> {
  return leavingNoSocket(async () => {
    const random = randomly(seed);
    const admitter = new SlowAdmitter({ maxPerClient: 5 });
    const { limiter } = admitter;
    const decisions: Promise<unknown>[] = [];
    const ask = admitter.tryAccept.bind(admitter);
    admitter.tryAccept = (peer) => {
      const answer = ask(peer);
      const question = admitter.questions.at(-1)!;
      const [delay, decide] = pick(random, ANSWERS);
      if (delay === 0) decide(question);
      else decisions.push(sleep(delay).then(() => decide(question)));
      return answer;
    };
    const stage = new PendingStage<never>({ max: 20, timeout: 20 });
    let refused = 0;
    const hooks = { onRefused: () => void refused++, onError() {} };
    const server = await adapter.serve({ admitter, hooks, stage });
    let left = CONNECTIONS;
    const visit = async () => {
      const client = await connectFrom("127.0.0.1", server.port).catch(() => undefined);
      // Bun's client may hear of the reset first.
      if (client === undefined) return;
      const { socket } = adapter.tls && random(4) > 0
        ? { socket: connectTls({ socket: client.socket, rejectUnauthorized: false }) }
        : client;
      socket.on("error", () => {});
      if (random(4) > 0) socket.write(adapter.words);
      const gone = ended(client);
      const leave = pick(random, [client.reset, client.fin, () => client.socket.destroy()]);
      await sleep(pick(random, [0, 1, 5, 20, 30]));
      leave();
      // A client that has ended its side is not sure to be ended by the server.
      const over = new AbortController();
      await Promise.race([gone, sleep(30, undefined, { signal: over.signal }).catch(() => {})]);
      over.abort();
      socket.destroy();
      client.socket.destroy();
      await gone;
    };
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await visit();
    }));
    await eventually(() => admitter.pending === 0, "nothing to be pending");
    await Promise.all(decisions);
    await server[Symbol.asyncDispose]();
    await eventually(() => limiter.open === 0, "every slot to be free");
    const stats = limiter.stats();
    assertEquals([stats.pending, stats.clients, [...limiter.clients()]], [0, 0, []]);
    assert(stats.admitted > 100 && stats.peak <= 5, `${stats.admitted} admitted, ${stats.peak} at once`);
    const by = stats.refusedBy;
    assert((by.timeout > 0 || adapter.hearsLate) && by.unavailable > 0, JSON.stringify(by));
    // Those that were refused by the gate, or by the limiter in time, are the ones that the hook has heard of.
    assert(refused >= by.timeout + by.unavailable + by.pending && refused <= stats.refused, `${refused} refused`);
  });
}
