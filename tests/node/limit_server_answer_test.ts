/**
 * `answer`, `onRefused` and `onError` of a refused connection, and their order.
 *
 * @module
 */

import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { limitServer, type LimitServerOptions } from "@connlimit/connlimit/node";
import type { Refusal } from "@connlimit/connlimit";
import { type Adapter, RULES } from "../support/answer_rules.ts";
import { CLIENT_ADDRESS, isBun, isDeno } from "../support/platform.ts";
import { throwing } from "../support/failures.ts";
import { Limited } from "../support/node/limited_server.ts";
import { ask, listenHttp, refusalsNoted, REQUEST } from "../support/node/refused_http.ts";

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

test("limitServer() closes a connection whose answer says that it gives none", async () => {
  const reasons: string[] = [];
  await using limited = await listenHttp({ maxPerClient: 0 }, undefined, {
    answer: {
      send: ({ reason }) => reasons.push(reason) > 1 ? "HTTP/1.1 429 \r\n\r\n" : undefined,
      writeDeadline: 5_000,
    },
  });
  assertStrictEquals(await ask(limited.port), "");
  assert((await ask(limited.port)).startsWith("HTTP/1.1 429 "));
  assertEquals(reasons, ["client", "client"]);
});

/** Serves what echoes. */
function adapterOf(create: () => net.Server, more: Partial<Adapter> = {}): Adapter {
  const serve: Adapter["serve"] = async (limits, options) => {
    const limited = await Limited.listen(create(), { limits, options: options as LimitServerOptions<net.Socket> });
    return {
      port: limited.port,
      limiter: limited.limiter,
      // The server waits for those that are being answered, which the limiter does not cut off.
      async stop() {
        limited.attachment.detach();
        const closed = once(limited.server, "close");
        limited.server.close();
        await closed;
        return 0;
      },
      async [Symbol.asyncDispose]() {
        limited.server.close();
        for (const socket of limited.sockets) socket.destroy();
        await limited.freed();
      },
    };
  };
  return { serve, ...more };
}

const ADAPTERS: Readonly<Record<string, Adapter>> = {
  // A write on Deno fails where the client has ended its side.
  net: adapterOf(() => net.createServer((socket) => void socket.on("error", () => {}).pipe(socket)), { blind: isDeno }),
  // Bun hears of its clients when they have said something, and does not tell how much more they say.
  http: adapterOf(() => http.createServer((_, response) => response.end("an answer")), {
    words: REQUEST,
    blind: isDeno,
    countless: isBun,
  }),
};

for (const [name, adapter] of Object.entries(ADAPTERS)) {
  for (const [rule, keeps] of Object.entries(RULES)) {
    test(`answer of limitServer() ${rule} (${name})`, () => keeps(adapter));
  }
}

test("limitServer() refuses a bad answer, naming the option and the value", () => {
  const make = (answer: unknown) => () => limitServer(net.createServer(), {}, { answer } as LimitServerOptions);
  assertThrows(make(421), TypeError, "answer must be a string, a Uint8Array, a function or an object, got 421");
});
