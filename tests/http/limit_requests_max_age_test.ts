/**
 * The deadline of `limitRequests()`: what of a request ends at `maxAge`, and what does not.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitRequests, type LimitRequestsOptions } from "@connlimit/connlimit/http";
import { isBun } from "../support/platform.ts";
import { pass } from "../support/deadline_trial.ts";
import { unending } from "../support/http/responses.ts";
import type { Handler } from "../support/http/serve.ts";
import { Served, type Setup } from "../support/http/served.ts";
import { CLOSE, open, serveSockets } from "../support/http/serve_sockets.ts";
import { aWhile, eventually, within } from "../support/net.ts";

const T = 150;

/** Which requests have met the deadline. */
type Met = [kind: string, path: string][];

/** A server that notes whose deadline has passed. */
function timed(handler: Handler, options: LimitRequestsOptions = {}): Served & { met: Met } {
  const met: Met = [];
  const setup: Setup = { limits: { maxPerClient: 10 }, options: noting(met, options) };
  return Object.assign(new Served(handler, setup), { met });
}

const noting = (met: Met, options: LimitRequestsOptions = {}): LimitRequestsOptions => ({
  maxAge: T,
  onTimeout: ({ kind }, { url }) => met.push([kind, new URL(url).pathname]),
  ...options,
});

/** Rejects with the reason of a signal. */
const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

const nameOf = (error: unknown) => (error as Error).name;

/** A handler that answers with the name of the reason for which its signal was aborted. */
const heeding: Handler = async ({ signal }) => {
  try {
    return await aborted(signal);
  } catch (error) {
    return new Response(nameOf(error));
  }
};

test("limitRequests() aborts the signal of a request at maxAge, and the handler answers", async () => {
  await using server = timed(heeding);
  const since = performance.now();
  const client = await server.ask("GET /old");
  assertStrictEquals((await client.answer()).body, "TimeoutError");
  assert(performance.now() - since >= T - 2);
  await server.empty();
  assertEquals([server.met, server.limiter.stats().timedOut], [[["maxAge", "/old"]], {
    firstByte: 0,
    idle: 0,
    maxAge: 1,
  }]);
});

test("limitRequests() aborts what a handler waits for at maxAge", async () => {
  const inner = timed(() => new Promise(() => {}), { maxAge: Infinity });
  await using server = timed(async ({ signal }) => {
    try {
      return await fetch(`http://127.0.0.1:${inner.port}/`, { signal });
    } catch (error) {
      return new Response(nameOf(error));
    }
  });
  const client = await server.ask("GET /");
  assertStrictEquals((await client.answer()).body, "TimeoutError");
  await inner.stop(true);
});

test("limitRequests() lets a body end at maxAge", async () => {
  await using server = timed(({ signal }) => unending((body) => signal.addEventListener("abort", () => body.close())));
  const client = await server.ask("GET /");
  assertStrictEquals((await client.answer()).body, "first");
  await server.empty();
  assertStrictEquals(server.met.length, 1);
});

test("limitRequests() leaves requests alone that end before maxAge, and the signals of those that have ended", async () => {
  const signals: AbortSignal[] = [];
  await using server = timed(({ signal }) => {
    if (isBun) signals.push(signal);
    return new Response("done\n");
  });
  const client = await server.ask("GET /");
  assertStrictEquals((await client.answer()).body, "done\n");
  await server.freed();
  await pass(2 * T);
  assertEquals([server.met, server.limiter.stats().timedOut.maxAge], [[], 0]);
  // Deno itself aborts the signals of those that have ended.
  assertEquals(signals.map(({ aborted }) => aborted), isBun ? [false] : []);
});

test("limitRequests() holds the slot of a handler that takes no notice of maxAge", async () => {
  let end = () => {};
  await using server = timed(() => new Promise((resolve) => end = () => resolve(new Response("late"))));
  const client = await server.ask("GET /");
  await eventually(() => server.met.length === 1, "the deadline");
  await aWhile();
  assertStrictEquals(server.limiter.open, 1);
  end();
  assertStrictEquals((await client.answer()).body, "late");
});

test("limitRequests() aborts the signal of a client that leaves before maxAge as without", async () => {
  const reasons: string[] = [];
  await using server = timed(async ({ signal }) => {
    try {
      return await aborted(signal);
    } catch (error) {
      reasons.push(nameOf(error));
      return new Response("nobody is there");
    }
  }, { maxAge: 60_000 });
  const client = await server.ask("GET /");
  await server.held();
  client.reset();
  await eventually(() => reasons.length === 1, "the signal to be aborted");
  assertEquals([reasons, server.met], [["AbortError"], []]);
});

test("limitRequests() aborts by the first of nested deadlines", async () => {
  for (const [outer, inner] of [[T, 60_000], [60_000, T]]) {
    const met: Met = [];
    const handler = limitRequests(new Limiter(), heeding, noting(met, { maxAge: inner! }));
    await using server = timed(handler as Handler, { maxAge: outer! });
    const client = await server.ask("GET /");
    assertStrictEquals((await client.answer()).body, "TimeoutError");
    assertEquals([met.length, server.met.length], inner === T ? [1, 0] : [0, 1]);
  }
});

test("limitRequests() ends WebSockets at maxAge, on Bun if their handlers heed the signal", async () => {
  const met: Met = [];
  await using server = serveSockets({ limits: { maxPerClient: 1 }, options: noting(met) });
  const { client, socket } = await open(server);
  await eventually(() => met.length === 1, "the deadline");
  if (isBun) {
    await aWhile();
    // The runtime shows limitRequests() no WebSocket, so it is open and has its slot.
    assertStrictEquals(server.limiter.open, 1);
    socket.close(1001);
  }
  // A frame that closes, with the status 1001.
  assertStrictEquals(await within(client.read(4), "the frame"), "\x88\x02\x03\xe9");
  client.write(CLOSE);
  await server.empty();
  assertStrictEquals(server.limiter.stats().timedOut.maxAge, 1);
});

test("limitRequests() names a deadline that is none", () => {
  const limit = (options: object) => () => limitRequests({}, () => new Response(), options);
  assertThrows(limit({ maxAge: 0 }), RangeError, "maxAge must be milliseconds from 1");
  assertThrows(limit({ onTimeout: 1 }), TypeError, "onTimeout must be a function");
  assertThrows(limit({ idleTimeout: 1 }), TypeError, 'unknown request option "idleTimeout"');
});
