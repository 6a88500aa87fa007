/**
 * `answer`, `onRefused` and `onError` of a refused connection, and their order.
 *
 * @module
 */

import type * as net from "node:net";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { tooManyConnections } from "@connlimit/connlimit/node";
import type { Refusal } from "@connlimit/connlimit";
import { CLIENT_ADDRESS } from "../support/platform.ts";
import { throwing } from "../support/failures.ts";
import { ask, listenHttp, refusalsNoted } from "../support/node/refused_http.ts";

test("limitServer() calls onRefused for every refusal, within the budget and past it", async () => {
  const { told, onRefused } = refusalsNoted();
  await using limited = await listenHttp({ maxPerClient: 0 }, { burst: 1, perSecond: 0, writeDeadline: 5_000 }, {
    onRefused,
  });
  const answers = [await ask(limited.port), await ask(limited.port, CLIENT_ADDRESS)];
  assertEquals(answers.map((answer) => answer.slice(0, 12)), ["HTTP/1.1 429", ""]);
  assertEquals(told, [["client", "127.0.0.1", false], ["client", CLIENT_ADDRESS, false]]);
});

test("limitServer() answers all the same where onRefused fails, and onError is told", async () => {
  for (const fail of [() => Promise.reject("failed"), throwing("failed")]) {
    const errors: unknown[] = [];
    const onError = (error: unknown) => void errors.push(error);
    await using limited = await listenHttp({ maxPerClient: 0 }, { writeDeadline: 5_000 }, { onRefused: fail, onError });
    assert((await ask(limited.port)).startsWith("HTTP/1.1 429 "));
    assertEquals(errors, ["failed"]);
  }
});

test("limitServer() asks for no answer to a connection that onRefused has destroyed", async () => {
  let visits = 0;
  const onRefused = (_: Refusal, socket: net.Socket) => void (visits++ === 0 && socket.destroy());
  await using limited = await listenHttp({ maxPerClient: 0 }, { burst: 1, perSecond: 0, writeDeadline: 5_000 }, {
    onRefused,
  });
  assertStrictEquals(await ask(limited.port), "");
  assert((await ask(limited.port)).startsWith("HTTP/1.1 429 "));
});

test("limitServer() destroys a refused socket whose answer fails, and onError is told", async () => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const onRefused = (_: Refusal, socket: net.Socket) => void (socket.end = throwing("no end"));
  await using limited = await listenHttp({ maxPerClient: 0 }, { writeDeadline: 2 ** 31 - 1 }, { onRefused, onError });
  assertStrictEquals(await ask(limited.port), "");
  assertEquals(errors, ["no end"]);
});

test("limitServer() closes a connection whose answer says that it gave none", async () => {
  const reasons: string[] = [];
  const budget = tooManyConnections({ writeDeadline: 5_000 });
  await using limited = await listenHttp({ maxPerClient: 0 }, undefined, {
    answer: (refusal, socket) => reasons.push(refusal.reason) > 1 && budget(refusal, socket),
  });
  assertStrictEquals(await ask(limited.port), "");
  assert((await ask(limited.port)).startsWith("HTTP/1.1 429 "));
  assertEquals(reasons, ["client", "client"]);
});
