/**
 * No answer of the user's ends the process, tells a client that it was served, or is changed without a word; and refused
 * upgrades have a budget.
 *
 * @module
 */

import { once } from "node:events";
import type * as http from "node:http";
import * as http2 from "node:http2";
import type * as net from "node:net";
import { test } from "node:test";
import { assert, assertEquals, assertLessOrEqual, assertStrictEquals } from "@std/assert";
import type { RequestAnswer } from "@connlimit/connlimit/node";
import { HttpClient } from "../../testing/http_client.ts";
import { connectFrom, eventually, within } from "../support/net.ts";
import { answering, client, LimitedRequests } from "../support/node/limited_requests.ts";
import { ignore } from "../support/node/server_kinds.ts";

const UPGRADE = ["GET /", "Connection: Upgrade", "Upgrade: echo"] as const;

/** A server that takes upgrades and `CONNECT`. */
function upgrading(): http.Server {
  const { server } = answering();
  for (const event of ["upgrade", "connect"]) {
    server.on(event, (_request: unknown, socket: net.Socket) => socket.on("error", ignore));
  }
  return server;
}

/** Answers that no client may be sent, by any protocol. */
const INVALID: readonly RequestAnswer[] = [
  ...["Keep-Alive", "transfer-encoding", "upgrade", "te", "trailer", "proxy-connection", "http2-settings"]
    .map((name) => ({ status: 418, headers: { [name]: "trailers" } })),
  ...[101, 200, 204, 205, 304, 399, 600].map((status) => ({ status, body: "no" })),
];

async function ask2(port: number): Promise<[status: unknown, body: string]> {
  const { socket } = await connectFrom("127.0.0.1", port);
  const session = http2.connect("http://localhost", { createConnection: () => socket }).on("error", ignore);
  try {
    const stream = session.request({ ":path": "/" }).on("error", ignore);
    let status: unknown;
    let text = "";
    stream.on("response", (head) => status = head[":status"]);
    stream.on("data", (data) => text += data);
    await within(once(stream, "close"), "the stream to close");
    return [status, text];
  } finally {
    session.destroy();
  }
}

test("limitServerRequests() reports answers that HTTP/1 or upgrades cannot be sent, and sends the usual one", async () => {
  let next: RequestAnswer;
  const errors: unknown[] = [];
  await using limited = await LimitedRequests.listen(upgrading(), { maxPerClient: 0 }, {
    answer: () => next,
    onError: (error) => errors.push(error),
  });
  for (next of INVALID) {
    for (const [request, ...headers] of [["GET /"], UPGRADE, ["CONNECT example.com:80"]] as const) {
      using asks = await HttpClient.ask(limited.port, request, ...headers);
      const { status, body } = await asks.answer();
      assertEquals([status, body], [429, "Too Many Requests\n"], JSON.stringify([next, request]));
    }
  }
  assertStrictEquals(errors.length, INVALID.length * 3);
  assert(errors.every((error) => error instanceof TypeError));
});

test("limitServerRequests() reports answers that HTTP/2 cannot be sent, and sends the usual one", async () => {
  let next: RequestAnswer;
  const errors: unknown[] = [];
  await using limited = await LimitedRequests.listen(http2.createServer(), { maxPerClient: 0 }, {
    answer: () => next,
    onError: (error) => errors.push(error),
  });
  const answers = [...INVALID, { status: 418, headers: { Connection: "close" } }];
  for (next of answers) {
    assertEquals(await ask2(limited.port), [429, "Too Many Requests\n"], JSON.stringify(next));
  }
  assertStrictEquals(errors.length, answers.length);
  next = { status: 418, body: "own" };
  assertEquals(await ask2(limited.port), [418, "own"]);
});

test("limitServerRequests() keeps the Connection of the user's own answer, also with client", async () => {
  await using limited = await LimitedRequests.listen(answering().server, { maxPerClient: 0 }, {
    client,
    answer: (_, { url }) => url === "/own" ? { status: 418, headers: { Connection: "close" } } : undefined,
  });
  using asks = await HttpClient.connect(limited.port, "127.0.0.1");
  asks.send("GET /usual");
  assert((await asks.answer()).headers.get("connection") !== "close");
  asks.send("GET /own");
  assertStrictEquals((await asks.answer()).headers.get("connection"), "close");
  await asks.rest();
});

/** What makes an answer throw, how many times, and the status that the client gets, if any. */
const THROWS: readonly [what: string, spoil: (response: http.ServerResponse) => void, status?: number][] = [
  ["at the first head", (response) => {
    const { writeHead } = response;
    response.writeHead = () => {
      response.writeHead = writeHead;
      throw new Error("spoilt");
    };
  }, 429],
  ["at each head", (response) => {
    response.writeHead = () => {
      throw new Error("spoilt");
    };
  }],
  ["after the head", (response) => {
    response.end = () => {
      response.flushHeaders();
      throw new Error("spoilt");
    };
  }],
];

for (const [what, spoil, expected] of THROWS) {
  test(`limitServerRequests() survives a response that throws ${what}`, async () => {
    const errors: unknown[] = [];
    await using limited = await LimitedRequests.listen(answering().server, { maxPerClient: 0 }, {
      answer: () => ({ status: 418, body: "own" }),
      onError: (error) => errors.push(String(error)),
    });
    const { emit } = limited.server;
    limited.server.emit = function (event: string, ...args: unknown[]): boolean {
      if (event === "request") spoil(args[1] as http.ServerResponse);
      return Reflect.apply(emit, this, [event, ...args]);
    };
    using asks = await HttpClient.ask(limited.port, "GET /");
    if (expected !== undefined) assertStrictEquals((await asks.answer()).status, expected);
    else await asks.rest();
    assert(errors.length > 0);
    assertEquals(errors, errors.map(() => "Error: spoilt"));
  });
}

test("limitServerRequests() answers 100 refused upgrades at once, and closes the connections of others", async () => {
  let asked = 0;
  await using limited = await LimitedRequests.listen(upgrading(), { maxPerClient: 0 }, {
    answer: () => void asked++,
  });
  const start = performance.now();
  const clients = await Promise.all(Array.from({ length: 160 }, () => HttpClient.ask(limited.port, ...UPGRADE)));
  await limited.answered(0, 160);
  const refilled = Math.ceil((performance.now() - start) / 100);
  assert(asked >= 100);
  assertLessOrEqual(asked, 100 + refilled);
  await eventually(() => limited.sockets.length <= asked, "the connections beyond the budget to be closed");
  const texts = await Promise.all(clients.map((client) => client.rest()));
  assertStrictEquals(texts.filter((text) => text.startsWith("HTTP/1.1 429")).length, asked);
  assertStrictEquals(texts.filter((text) => text === "").length, 160 - asked);
  await eventually(() => limited.sockets.length === 0, "the answered connections to be closed");
});

test("limitServerRequests() looks at what is no client only when it tells why", async () => {
  let looks = 0;
  const errors: unknown[] = [];
  const nobody = Object.create({
    get constructor() {
      looks++;
      return Object;
    },
  });
  await using limited = await LimitedRequests.listen(answering().server, {}, {
    client: () => nobody,
    onError: (error) => errors.push(error),
  });
  using asks = await HttpClient.connect(limited.port);
  for (let request = 0; request < 3; request++) {
    asks.send("GET /");
    assertStrictEquals((await asks.answer()).status, 403);
  }
  assertEquals([looks, errors.length], [1, 1]);
});
