/**
 * Refused HTTP clients get an answer within the budget. None of them keeps a socket open.
 *
 * @module
 */

import { once } from "node:events";
import * as http2 from "node:http2";
import * as net from "node:net";
import { test } from "node:test";
import * as tls from "node:tls";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type AnswerBudget, limitServer, tooManyConnections } from "@connlimit/connlimit/node";
import type { LimitsOptions } from "@connlimit/connlimit";
import { parseAnswer } from "../../testing/http_client.ts";
import { fails } from "../support/failures.ts";
import { certificate, type Client, connectFrom, ended, eventually, openSockets, within } from "../support/net.ts";
import { CLIENT_ADDRESS, isBun, oneAddress } from "../support/platform.ts";
import { Limited } from "../support/node/limited_server.ts";
import { ignore, KINDS, type Server, shakeHands } from "../support/node/server_kinds.ts";
import { ask, listenHttp, refusalsNoted, REQUEST } from "../support/node/refused_http.ts";

const ENHANCE_YOUR_CALM = 11;

const REFUSALS: [reason: string, limits: LimitsOptions, status: string, retryAfter: boolean][] = [
  ["client", { maxPerClient: 0 }, "429 Too Many Requests", true],
  ["aggregate", { aggregates: [{ ipv4Prefix: 8, max: 0 }] }, "429 Too Many Requests", true],
  ["total", { maxTotal: 0 }, "503 Service Unavailable", true],
  ["fair-share", { maxTotal: 1, fairShare: { floor: 0 } }, "429 Too Many Requests", true],
  ["blocked", { networks: { "127.0.0.0/8": { maxPerClient: 0 } } }, "403 Forbidden", false],
];

for (const [reason, limits, status, retryAfter] of REFUSALS) {
  test(`tooManyConnections() answers ${status} to a client refused for the reason "${reason}"`, async () => {
    await using limited = await listenHttp(limits, { writeDeadline: 5_000 });
    const text = await ask(limited.port);
    const answer = parseAnswer(text);
    assertStrictEquals(`${answer.status} ${answer.statusText}`, status);
    assertStrictEquals(answer.headers.get("connection"), "close");
    assertStrictEquals(answer.headers.get("retry-after"), retryAfter ? "1" : null);
    assertStrictEquals(answer.body, `${status.slice(4)}\n`);
    assert(text.endsWith(`\r\n\r\n${answer.body}`), "the length that it tells is all that comes");
    assertStrictEquals(limited.limiter.stats().refusedBy[reason as "client"], 1);
  });
}

test("tooManyConnections() gives an answer that a client of HTTP understands", async () => {
  await using limited = await listenHttp({ maxPerClient: 0 }, { writeDeadline: 5_000 });
  const response = await fetch(`http://127.0.0.1:${limited.port}/`);
  assertEquals([response.status, await response.text()], [429, "Too Many Requests\n"]);
});

test("tooManyConnections() answers a client that reads nothing before all of a large request is sent", async () => {
  await using limited = await listenHttp({ maxPerClient: 0 }, { writeDeadline: 2 ** 31 - 1 });
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
  await using limited = await listenHttp({ maxPerClient: 1 });
  using client = await connectFrom("127.0.0.1", limited.port);
  client.socket.write(REQUEST);
  await limited.answered(1, 0);
  assert((await ask(limited.port)).startsWith("HTTP/1.1 429 "));
  assert((await ask(limited.port, "127.0.0.2", REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")))
    .endsWith("an answer"));
});

test(
  "tooManyConnections() closes without an answer past its budget, which a flood cannot exceed",
  { skip: oneAddress },
  async () => {
    const before = openSockets();
    {
      await using limited = await listenHttp({ maxPerClient: 0 }, { burst: 100, perSecond: 0 });
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
  await using limited = await listenHttp({ maxPerClient: 0 });
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
    const { told, onRefused } = refusalsNoted();
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

for (const [reason, limits, status] of REFUSALS) {
  test(`tooManyConnections() sends away a client of HTTP/2 without TLS for the reason "${reason}"`, async () => {
    await using limited = await Limited.listen(KINDS["http2 cleartext"]!.create(), {
      limits,
      options: { answer: tooManyConnections({ writeDeadline: 5_000 }) },
    });
    using client = await connectFrom("127.0.0.1", limited.port);
    assertEquals(await goaway(client), [ENHANCE_YOUR_CALM, status.slice(4)]);
    await limited.answered(0, 1);
  });
}

/** What a client of HTTP/2 hears that is sent away. */
async function goaway({ socket }: Client): Promise<[code: number, text: string]> {
  const session = http2.connect("http://localhost", { createConnection: () => socket }).on("error", ignore);
  const heard = new Promise<[number, string]>((resolve) => {
    session.on(
      "goaway",
      (code, _last, data) => resolve([code, data === undefined ? "" : new TextDecoder().decode(data)]),
    );
  });
  const closed = new Promise((resolve) => session.on("close", resolve));
  const result = await within(heard, "a GOAWAY");
  await within(closed, "the session to be closed");
  return result;
}

/** A TLS server that hands its sockets to another after their handshakes, or before. */
async function handOver(to: Server, { early = false } = {}): Promise<AsyncDisposable & { readonly port: number }> {
  const context = { ...certificate(), ALPNProtocols: ["h2", "http/1.1"] };
  const hand = (socket: net.Socket) => void to.emit("connection", socket.on("error", ignore));
  const front = early
    ? net.createServer((socket) => {
      const secureContext = tls.createSecureContext(context);
      hand(new tls.TLSSocket(socket.on("error", ignore), { isServer: true, secureContext }));
    })
    : tls.createServer(context, hand).on("tlsClientError", ignore);
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  return {
    port: (front.address() as net.AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(front, "close");
      front.close();
      await within(closed, "the front to be closed");
    },
  };
}

test("tooManyConnections() answers those that a TLS server hands over after the handshake", async () => {
  const server = KINDS.http!.create();
  limitServer(server, { maxPerClient: 0 }, { answer: tooManyConnections({ writeDeadline: 5_000 }) });
  await using front = await handOver(server);
  using plain = await connectFrom("127.0.0.1", front.port);
  const client = await shakeHands(plain, ["http/1.1"]);
  client.socket.write(REQUEST);
  assertStrictEquals((await ended(client)).slice(0, 12), "HTTP/1.1 429");
});

test("tooManyConnections() sends away clients of HTTP/2 that a TLS server hands over", async () => {
  // An HTTP/1 server of this kind may be handed what should have gone to another.
  for (const name of ["http2 cleartext", "http"]) {
    const server = KINDS[name]!.create();
    limitServer(server, { maxPerClient: 0 }, { answer: tooManyConnections({ writeDeadline: 5_000 }) });
    await using front = await handOver(server);
    using plain = await connectFrom("127.0.0.1", front.port);
    assertEquals(await goaway(await shakeHands(plain, ["h2"])), [ENHANCE_YOUR_CALM, "Too Many Requests"]);
  }
});

test("limitServer() gives any answer to those that a TLS server hands over, after the handshake and not before", async () => {
  for (const early of [false, true]) {
    const server = KINDS.net!.create();
    limitServer(server, { maxPerClient: 0 }, { answer: { send: "421 no\r\n", writeDeadline: 5_000 } });
    await using front = await handOver(server, { early });
    using plain = await connectFrom("127.0.0.1", front.port);
    if (early) await fails(shakeHands(plain));
    else assertStrictEquals(await ended(await shakeHands(plain)), "421 no\r\n");
  }
});

test("tooManyConnections() refuses bad options, naming the option and the value", () => {
  const make = (options: unknown) => () => tooManyConnections(options as AnswerBudget);
  assertThrows(make({ writeDeadline: -1 }), RangeError, "writeDeadline must be milliseconds");
  assertThrows(make({ writeDeadline: Infinity }), RangeError, "writeDeadline must be finite, got Infinity");
  assertThrows(make({ perSecond: 0.5 }), RangeError, "perSecond must be a whole number");
  assertThrows(make({ burst: "9" }), TypeError, 'burst must be a number, got "9"');
  const known = "known are writeDeadline, perSecond, burst";
  assertThrows(make({ brust: 9 }), TypeError, `unknown option "brust"; ${known}`);
});
