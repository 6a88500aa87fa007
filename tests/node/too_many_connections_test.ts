/**
 * Refused HTTP clients are told so, within a budget, and none of them keeps a socket open.
 *
 * @module
 */

import * as http from "node:http";
import type * as net from "node:net";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type LimitServerOptions, tooManyConnections, type TooManyConnectionsOptions } from "@connlimit/connlimit/node";
import type { LimitsOptions, Refusal } from "@connlimit/connlimit";
import { TokenBucket } from "../../src/core/token_bucket.ts";
import { connectFrom, ended, eventually, openSockets, within } from "../support/net.ts";
import { CLIENT_ADDRESS, isBun, oneAddress } from "../support/platform.ts";
import { KINDS, Limited, shakeHands } from "../support/node/limited_server.ts";
import { throwing } from "../support/failures.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

function listen(limits: LimitsOptions, budget?: TooManyConnectionsOptions, hooks?: LimitServerOptions<net.Socket>) {
  const server = http.createServer((_, response) => response.end("an answer"));
  return Limited.listen(server, { limits, options: { answer: tooManyConnections(budget), ...hooks } });
}

/** Connects, sends a request, and waits for the end. Resolves to what has come. */
async function ask(port: number, address = "127.0.0.1", request = REQUEST): Promise<string> {
  using client = await connectFrom(address, port);
  client.socket.write(request);
  return await ended(client);
}

const REFUSALS: [reason: string, limits: LimitsOptions, status: string, retryAfter: boolean][] = [
  ["client", { maxPerClient: 0 }, "429 Too Many Requests", true],
  ["aggregate", { aggregates: [{ ipv4Prefix: 8, max: 0 }] }, "429 Too Many Requests", true],
  ["total", { maxTotal: 0 }, "503 Service Unavailable", true],
  ["blocked", { networks: { "127.0.0.0/8": { maxPerClient: 0 } } }, "403 Forbidden", false],
];

for (const [reason, limits, status, retryAfter] of REFUSALS) {
  test(`tooManyConnections() answers ${status} to a client refused for the reason "${reason}"`, async () => {
    await using limited = await listen(limits, { writeDeadline: 5_000 });
    const [head, body] = (await ask(limited.port)).split("\r\n\r\n");
    const [line, ...fields] = head!.split("\r\n");
    assertStrictEquals(line, `HTTP/1.1 ${status}`);
    assert(fields.includes("connection: close"), head);
    assertStrictEquals(fields.includes("retry-after: 1"), retryAfter, head);
    assert(fields.includes(`content-length: ${body!.length}`), head);
    assertStrictEquals(body, `${status.slice(4)}\n`);
    assertStrictEquals(limited.limiter.stats().refusedBy[reason as "client"], 1);
  });
}

test("tooManyConnections() gives an answer that a client of HTTP understands", async () => {
  await using limited = await listen({ maxPerClient: 0 }, { writeDeadline: 5_000 });
  const response = await fetch(`http://127.0.0.1:${limited.port}/`);
  assertEquals([response.status, await response.text()], [429, "Too Many Requests\n"]);
});

test("tooManyConnections() answers also who reads nothing before all of a large request is sent", async () => {
  await using limited = await listen({ maxPerClient: 0 }, { writeDeadline: 2 ** 31 - 1 });
  using client = await connectFrom("127.0.0.1", limited.port);
  client.socket.pause();
  // More than the kernel has room for: it gets away only where somebody reads it.
  const body = new Uint8Array(16 << 20);
  client.socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`);
  await within(new Promise((resolve) => client.socket.write(body, resolve)), "the request to be sent");
  client.socket.resume();
  assert((await ended(client)).startsWith("HTTP/1.1 429 "));
});

test("tooManyConnections() lets the admitted through", { skip: oneAddress }, async () => {
  await using limited = await listen({ maxPerClient: 1 });
  using client = await connectFrom("127.0.0.1", limited.port);
  client.socket.write(REQUEST);
  await limited.answered(1, 0);
  assert((await ask(limited.port)).startsWith("HTTP/1.1 429 "));
  assert((await ask(limited.port, "127.0.0.2", REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")))
    .endsWith("an answer"));
});

test(
  "tooManyConnections() just closes past its budget, of which a flood gets no more",
  { skip: oneAddress },
  async () => {
    const before = openSockets();
    {
      await using limited = await listen({ maxPerClient: 0 }, { burst: 100, perSecond: 0 });
      let told = 0;
      const crowd = Array.from({ length: 50 }, async (_, visitor) => {
        for (let visit = 0; visit < 200; visit++) {
          if ((await ask(limited.port, `127.0.0.${visitor + 1}`)).startsWith("HTTP/1.1 429 ")) told++;
        }
      });
      await Promise.all(crowd);
      await limited.answered(0, 10_000);
      assert(told > 0 && told <= 100, `${told} were told`);
    }
    await eventually(() => openSockets() <= before, "every socket to be closed");
  },
);

test("tooManyConnections() keeps no socket for clients that never read nor leave", async () => {
  await using limited = await listen({ maxPerClient: 0 });
  const clients = await Promise.all(Array.from({ length: 100 }, async () => {
    const client = await connectFrom("127.0.0.1", limited.port);
    client.socket.pause();
    client.socket.write(REQUEST);
    return client;
  }));
  await limited.answered(0, 100);
  const connections = () =>
    new Promise<number>((resolve) => limited.server.getConnections((_, count) => resolve(count)));
  await eventually(async () => await connections() === 0, "every refused socket to be closed");
  for (const client of clients) client[Symbol.dispose]();
});

for (const name of ["tls", "https", "http2"]) {
  test(`tooManyConnections() just closes connections of ${name}, and onRefused is called`, async () => {
    const { told, onRefused } = observer();
    await using limited = await Limited.listen(KINDS[name]!.create(), {
      limits: { maxPerClient: 0 },
      options: { answer: tooManyConnections(), onRefused },
    });
    using client = await connectFrom(CLIENT_ADDRESS, limited.port);
    if (isBun && name === "https") await shakeHands(client);
    else client.socket.write(REQUEST);
    assertStrictEquals(await ended(client), "");
    assertEquals(told, [["client", CLIENT_ADDRESS, false]]);
  });
}

/** An `onRefused` with what it has been told. */
function observer() {
  const told: unknown[] = [];
  const onRefused = ({ reason }: Refusal, { remoteAddress, destroyed }: net.Socket) =>
    void told.push([reason, remoteAddress, destroyed]);
  return { told, onRefused };
}

test("limitServer() calls onRefused for every refusal, within the budget and past it", async () => {
  const { told, onRefused } = observer();
  await using limited = await listen({ maxPerClient: 0 }, { burst: 1, perSecond: 0, writeDeadline: 5_000 }, {
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
    await using limited = await listen({ maxPerClient: 0 }, { writeDeadline: 5_000 }, { onRefused: fail, onError });
    assert((await ask(limited.port)).startsWith("HTTP/1.1 429 "));
    assertEquals(errors, ["failed"]);
  }
});

test("limitServer() asks for no answer to a connection that onRefused has destroyed", async () => {
  let visits = 0;
  const onRefused = (_: Refusal, socket: net.Socket) => void (visits++ === 0 && socket.destroy());
  await using limited = await listen({ maxPerClient: 0 }, { burst: 1, perSecond: 0, writeDeadline: 5_000 }, {
    onRefused,
  });
  assertStrictEquals(await ask(limited.port), "");
  assert((await ask(limited.port)).startsWith("HTTP/1.1 429 "));
});

test("limitServer() destroys a refused socket whose answer fails, and onError is told", async () => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const onRefused = (_: Refusal, socket: net.Socket) => void (socket.end = throwing("no end"));
  await using limited = await listen({ maxPerClient: 0 }, { writeDeadline: 2 ** 31 - 1 }, { onRefused, onError });
  assertStrictEquals(await ask(limited.port), "");
  assertEquals(errors, ["no end"]);
});

test("limitServer() closes a connection whose answer says that it gave none", async () => {
  const reasons: string[] = [];
  const budget = tooManyConnections({ writeDeadline: 5_000 });
  await using limited = await listen({ maxPerClient: 0 }, undefined, {
    answer: (refusal, socket) => reasons.push(refusal.reason) > 1 && budget(refusal, socket),
  });
  assertStrictEquals(await ask(limited.port), "");
  assert((await ask(limited.port)).startsWith("HTTP/1.1 429 "));
  assertEquals(reasons, ["client", "client"]);
});

test("tooManyConnections() refuses bad options, naming the option and the value", () => {
  const make = (options: unknown) => () => tooManyConnections(options as TooManyConnectionsOptions);
  assertThrows(make({ writeDeadline: -1 }), RangeError, "writeDeadline must be milliseconds");
  assertThrows(make({ writeDeadline: Infinity }), RangeError, "writeDeadline must be finite, got Infinity");
  assertThrows(make({ perSecond: 0.5 }), RangeError, "perSecond must be a whole number");
  assertThrows(make({ burst: "9" }), TypeError, 'burst must be a number, got "9"');
  const known = "known are writeDeadline, perSecond, burst";
  assertThrows(make({ brust: 9 }), TypeError, `unknown option "brust"; ${known}`);
});

test("TokenBucket.take() allows a burst, and then as many a second as it is told", () => {
  let now = 0;
  const bucket = new TokenBucket(10, 3, () => now);
  const takeAll = () => {
    let taken = 0;
    while (bucket.take()) taken++;
    return taken;
  };
  assertStrictEquals(takeAll(), 3);
  now += 99;
  assertStrictEquals(takeAll(), 0);
  now += 1;
  assertStrictEquals(takeAll(), 1);
  now += 250;
  assertStrictEquals(takeAll(), 2);
  now += 50;
  assertStrictEquals(takeAll(), 1, "a half that was left is not lost");
  now += 60_000;
  assertStrictEquals(takeAll(), 3);
  assertStrictEquals(new TokenBucket(Infinity, 0, () => now).take(), false);
});
