/**
 * Refused HTTP clients are told so, within a budget, and none of them keeps a socket open.
 *
 * @module
 */

import * as http from "node:http";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { tooManyConnections, type TooManyConnectionsOptions } from "@connlimit/connlimit/node";
import type { LimitsOptions } from "@connlimit/connlimit";
import { TokenBucket } from "../../src/node/token_bucket.ts";
import { connectFrom, ended, eventually, openSockets } from "../support/net.ts";
import { isBun, KINDS, Limited, shakeHands } from "./servers.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

function listen(limits: LimitsOptions, options?: TooManyConnectionsOptions) {
  const server = http.createServer((_, response) => response.end("an answer"));
  return Limited.listen(server, { limits, hooks: { onRefused: tooManyConnections(options) } });
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

test("tooManyConnections() answers also who has sent much that is not read", async () => {
  await using limited = await listen({ maxPerClient: 0 }, { writeDeadline: 5_000 });
  const post = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n${"x".repeat(100_000)}`;
  assert((await ask(limited.port, "127.0.0.1", post)).startsWith("HTTP/1.1 429 "));
});

test("tooManyConnections() lets the admitted through", async () => {
  await using limited = await listen({ maxPerClient: 1 });
  using client = await connectFrom("127.0.0.1", limited.port);
  client.socket.write(REQUEST);
  await limited.answered(1, 0);
  assert((await ask(limited.port)).startsWith("HTTP/1.1 429 "));
  assert((await ask(limited.port, "127.0.0.2", REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")))
    .endsWith("an answer"));
});

test("tooManyConnections() just closes past its budget, of which a flood gets no more", async () => {
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
});

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

test("tooManyConnections() just closes connections of TLS", async () => {
  const kind = KINDS["https"]!;
  await using limited = await Limited.listen(kind.create(), {
    limits: { maxPerClient: 0 },
    hooks: { onRefused: tooManyConnections() },
  });
  using client = await connectFrom("127.0.0.1", limited.port);
  if (isBun) await shakeHands(client);
  else client.socket.write(REQUEST);
  assertStrictEquals(await ended(client), "");
});

test("tooManyConnections() refuses bad options, naming the option and the value", () => {
  const make = (options: unknown) => () => tooManyConnections(options as TooManyConnectionsOptions);
  assertThrows(make({ writeDeadline: -1 }), RangeError, "writeDeadline must be milliseconds");
  assertThrows(make({ perSecond: 0.5 }), RangeError, "perSecond must be a whole number");
  assertThrows(make({ burst: "9" }), TypeError, 'burst must be a number, got "9"');
  assertThrows(make({ brust: 9 }), TypeError, 'unknown option "brust"; known are writeDeadline, perSecond, burst');
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
