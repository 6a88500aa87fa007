/**
 * What holds of the answers to refused clients, on every adapter and runtime.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Refusal } from "@connlimit/connlimit";
import { type Adapter, BUSY, LONG, rest, sent, Trial } from "./answer_trial.ts";
import { throwing } from "./failures.ts";
import { aWhile, eventually, within } from "./net.ts";

export type { Adapter, Server } from "./answer_trial.ts";

type Rule = (adapter: Adapter) => Promise<void>;

/** Has thirty clients visit, ten at a time. All must be answered. */
async function answersThirty(adapter: Adapter, words: string | Uint8Array): Promise<void> {
  await using trial = await Trial.serve(adapter, { send: BUSY, writeDeadline: 5_000 });
  for (let i = 0; i < 3; i++) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => trial.visit(words)));
    assertEquals(answers, Array(10).fill(BUSY));
  }
  await trial.closedAll();
  assertEquals([trial.events, trial.server.limiter.stats().refused], [[], 30]);
  assertEquals(trial.server.called ?? [], []);
}

/** Closes a connection in whatever way it has. */
function close(conn: { destroy?(): void; close?(): void }): void {
  if (conn.destroy === undefined) conn.close!();
  else conn.destroy();
}

/** The rules, by what they say. */
export const RULES: Readonly<Record<string, Rule>> = {
  "sends 30 of 30 clients that say nothing its answer": (adapter) => answersThirty(adapter, ""),

  "sends 30 of 30 clients that have sent four kilobytes its answer": (adapter) =>
    answersThirty(adapter, new Uint8Array(4 << 10)),

  "sends 30 of 30 clients that read nothing before they have sent four megabytes its answer": (adapter) =>
    answersThirty(adapter, new Uint8Array(4 << 20)),

  "sends 30 of 30 clients that end their side at once its answer": async (adapter) => {
    await using trial = await Trial.serve(adapter, { send: BUSY, writeDeadline: 5_000 });
    const visit = async () => {
      const client = await trial.connect();
      client.socket.end(adapter.words ?? "");
      return await rest(client);
    };
    const answers = await Promise.all(Array.from({ length: 30 }, visit));
    if (!adapter.blind) assertEquals(answers, Array(30).fill(BUSY));
    await trial.closedAll();
  },

  "sends text, bytes, or what its function returns, which is called after onRefused": async (adapter) => {
    const bytes = new TextEncoder().encode(BUSY);
    for (const answer of [BUSY, bytes, { send: bytes }, () => BUSY, () => bytes]) {
      await using trial = await Trial.serve(adapter, answer);
      assertStrictEquals(await trial.visit(), BUSY);
    }
    const calls: unknown[] = [];
    let told: unknown;
    await using trial = await Trial.serve(adapter, ({ reason }: Refusal, conn) => {
      assertStrictEquals(conn, told);
      calls.push(`answer ${reason}`);
      return `no: ${reason} \u{1f600}\n`;
    }, {
      onRefused: ({ reason }, conn) => {
        told = conn;
        calls.push(`onRefused ${reason}`);
      },
    });
    assertStrictEquals(await trial.visit(), "no: client \u{1f600}\n");
    assertEquals(calls, ["onRefused client", "answer client"]);
  },

  "closes where its function returns nothing, which spends nothing of the budget": async (adapter) => {
    const answers = [undefined, "", new Uint8Array(), BUSY];
    await using trial = await Trial.serve(adapter, { send: () => answers.shift(), burst: 1, perSecond: 0 });
    for (let i = 0; i < 3; i++) assertStrictEquals(await trial.visit(), "");
    assertStrictEquals(await trial.visit(), BUSY);
    assertEquals(trial.events, []);
  },

  "closes where its function throws or returns anything else, and tells onError": async (adapter) => {
    const wrong = "what answer returns must be a string, a Uint8Array or undefined, got ";
    const failures: [fail: () => unknown, error: string][] = [
      [throwing(new Error("thrown")), "thrown"],
      [() => 421, `${wrong}421`],
      [() => null, `${wrong}null`],
      [() => Promise.resolve(BUSY), `${wrong}an instance of Promise`],
      [() => Promise.reject(new Error("rejected")), `${wrong}an instance of Promise`],
    ];
    let at = 0;
    await using trial = await Trial.serve(adapter, { send: () => failures[at]![0]() as string });
    for (; at < failures.length; at++) {
      assertStrictEquals(await trial.visit(), "");
      assertEquals(trial.events.splice(0), [failures[at]![1]]);
    }
    await trial.closedAll();
  },

  "answers within its budget, and closes the others": async (adapter) => {
    await using trial = await Trial.serve(adapter, { send: BUSY, burst: 3, perSecond: 0, writeDeadline: 5_000 });
    const answers: string[] = [];
    for (let i = 0; i < 6; i++) answers.push(await trial.visit());
    assertEquals(answers, [BUSY, BUSY, BUSY, "", "", ""]);
  },

  "keeps no more connections than its budget in a flood of clients that neither read nor leave": async (adapter) => {
    await using trial = await Trial.serve(adapter, { send: BUSY, burst: 20, perSecond: 0, writeDeadline: LONG });
    const clients = await Promise.all(Array.from({ length: 200 }, () => trial.connect()));
    for (const { socket } of clients) if (adapter.words !== undefined) socket.write(adapter.words);
    await trial.refused(200);
    await trial.closedAll(20);
    const texts = await Promise.all(clients.map(rest));
    assertStrictEquals(texts.filter((text) => text === BUSY).length, 20);
    assertEquals(trial.events, []);
  },

  "closes clients that neither read nor leave, nor stop to send, at its deadline": async (adapter) => {
    await using trial = await Trial.serve(adapter, { send: new Uint8Array(1 << 20), writeDeadline: 100 });
    for (let i = 0; i < 30; i++) {
      const { socket } = await trial.connect();
      const flood = new Uint8Array(64 << 10);
      const send = () => void socket.write(flood, (error) => error || i % 3 > 0 || send());
      if (i % 3 === 0) send();
      else if (i % 3 === 1 || adapter.words !== undefined) socket.write(adapter.words ?? "x");
    }
    await trial.refused(30);
    await trial.closedAll();
    assertEquals(trial.events, []);
  },

  "closes a client that sends without end, long before its deadline": async (adapter) => {
    await using trial = await Trial.serve(adapter, { send: BUSY, writeDeadline: LONG });
    if (adapter.countless) return;
    const { socket } = await trial.connect();
    const flood = new Uint8Array(1 << 20);
    let sent = 0;
    const send = () => void (sent++, socket.write(flood, (error) => error || send()));
    send();
    await within(new Promise((resolve) => socket.once("close", resolve)), "the client to be closed");
    assert(sent > 16 && sent < 64, `${sent} megabytes were sent`);
    await trial.closedAll();
  },

  "sends a megabyte to those who read it, whatever they send meanwhile": async (adapter) => {
    const text = "0123456789abcdef".repeat(1 << 16);
    await using trial = await Trial.serve(adapter, { send: text, writeDeadline: LONG });
    const [first, second] = await Promise.all([trial.visit(), trial.visit(new Uint8Array(4 << 20))]);
    assert(first === text && second === text, `${first.length} and ${second.length} bytes came`);
    await trial.closedAll();
  },

  "keeps nothing of clients that reset while they are answered": async (adapter) => {
    await using trial = await Trial.serve(adapter, { send: new Uint8Array(1 << 20), writeDeadline: LONG });
    for (let i = 0; i < 20; i++) {
      const client = await trial.connect();
      await sent(client, adapter.words ?? (i % 2 === 0 ? "hello" : ""));
      if (i % 4 > 1) await trial.refused(i + 1);
      client.reset();
    }
    await trial.closedAll();
    assertEquals(trial.events, []);
  },

  "closes at once with a deadline of 0, after the answer or before": async (adapter) => {
    await using trial = await Trial.serve(adapter, { send: BUSY, writeDeadline: 0 });
    const clients = await Promise.all(Array.from({ length: 10 }, () => trial.connect()));
    for (const { socket } of clients) if (adapter.words !== undefined) socket.write(adapter.words);
    await trial.refused(10);
    await trial.closedAll();
    for (const client of clients) assert(["", BUSY].includes(await rest(client)));
  },

  "sends nothing over a connection that onRefused has closed": async (adapter) => {
    let visits = 0;
    const onRefused = (_: Refusal, conn: object) => void (visits++ === 0 && close(conn));
    await using trial = await Trial.serve(adapter, { send: BUSY, writeDeadline: LONG }, { onRefused });
    assertStrictEquals(await trial.visit(), "");
    assertStrictEquals(await trial.visit(), BUSY);
    await trial.closedAll();
    assertEquals(trial.events, []);
  },

  "holds no slot, and serves the admitted meanwhile": async (adapter) => {
    // More than the system takes from a server whose client does not read.
    const text = "0123456789abcdef".repeat(1 << 20);
    await using trial = await Trial.serve(adapter, { send: text, writeDeadline: LONG }, {}, { maxTotal: 1 });
    const { limiter } = trial.server;
    using slot = limiter.accept("127.0.0.1");
    const clients = await Promise.all(Array.from({ length: 3 }, () => trial.connect()));
    for (const { socket } of clients) if (adapter.words !== undefined) socket.write(adapter.words);
    await trial.refused(3);
    assertStrictEquals(limiter.open, 1);
    slot.release();
    const admitted = await trial.connect();
    admitted.socket.write(adapter.words ?? "hello");
    await eventually(() => limiter.open === 1, "a client to be admitted");
    for (const client of clients) assert(await rest(client) === text, "the answer is cut short");
    admitted.fin();
    admitted.socket.resume();
    await eventually(() => limiter.open === 0, "the slot to be free");
  },

  "stops with no answer under way, or waits for its end": async (adapter) => {
    for (const [writeDeadline, timeout] of [[LONG, 0], [LONG, 20], [50, undefined], [5_000, undefined]] as const) {
      await using trial = await Trial.serve(adapter, { send: BUSY, writeDeadline });
      const client = await trial.connect();
      await sent(client, adapter.words ?? "");
      await trial.refused(1);
      const stopped = trial.server.stop(timeout);
      if (writeDeadline === 5_000) await aWhile();
      const [text, closed] = await within(Promise.all([rest(client), stopped]), "the stop");
      assertEquals([text, closed], [BUSY, 0]);
      await trial.closedAll();
    }
  },
};
