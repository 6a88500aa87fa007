/**
 * A WebSocket holds the slot of its request until it closes, by whichever side, and however.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitRequests } from "@connlimit/connlimit/http";
import { WebSocket as Ws } from "ws";
import { holdSlot } from "../../src/http/upgrade_web_socket.ts";
import { aWhile, eventually, within } from "../support/net.ts";
import { upgrade } from "../support/http/responses.ts";
import type { ServerSocket } from "../support/http/serve.ts";
import { Served } from "../support/http/served.ts";
import { CLOSE, GARBAGE, HEADERS, HELLO, open, type Pair, serveSockets } from "../support/http/serve_sockets.ts";
import { isBun, isDeno } from "../support/platform.ts";

/** The ways in which a WebSocket ends. */
const ENDINGS: Readonly<Record<string, (pair: Pair) => unknown>> = {
  "the client closes it": ({ client }) => client.write(CLOSE),
  "the client ends the connection": ({ client }) => client.fin(),
  "the client resets the connection": ({ client }) => client.reset(),
  "the client says what is no frame": ({ client }) => client.write(GARBAGE),
  "the server closes it": async ({ client, socket }) => {
    socket.close(1000, "bye");
    await client.until("bye");
    client.write(CLOSE);
  },
  "the server closes it and the client leaves": async ({ client, socket }) => {
    socket.close();
    await client.read(2);
    client.reset();
  },
  ...isBun && { "the server terminates it": ({ socket }: Pair) => socket.terminate!() },
};

for (const [name, before] of [["a handler", () => {}], ["an async handler", () => Promise.resolve()]] as const) {
  test(`limitRequests() holds the slot of a WebSocket of ${name} until it is closed`, async () => {
    await using server = serveSockets({}, before);
    for (const [ending, end] of Object.entries(ENDINGS)) {
      const { client, socket } = await open(server);
      client.write(HELLO);
      assertStrictEquals(await client.read(4), "\x81\x02hi");
      await aWhile();
      assertEquals([server.limiter.open, await server.status("GET /")], [1, 429], ending);
      await end({ client, socket });
      await server.freed(ending);
      client[Symbol.dispose]();
    }
    assertStrictEquals(server.calls, Object.keys(ENDINGS).length);
  });
}

test("limitRequests() holds the slots of all limiters around a WebSocket until it is closed", async () => {
  const inner = new Limiter({ maxPerClient: 5 });
  const sockets: ServerSocket[] = [];
  const handler = (request: Request, info: unknown) => upgrade(request, info, (socket) => void sockets.push(socket));
  const limited = limitRequests(inner, handler) as typeof handler;
  await using server = Object.assign(new Served(limited), { sockets });
  for (const end of [({ client }: Pair) => client.reset(), ({ client }: Pair) => client.write(CLOSE)]) {
    const pair = await open(server);
    await aWhile();
    assertEquals([server.limiter.open, inner.open], [1, 1]);
    end(pair);
    await server.freed();
    assertStrictEquals(inner.open, 0);
  }
});

test("limitRequests() frees the slot of a request that cannot be upgraded", async () => {
  await using server = serveSockets();
  using client = await server.connect();
  // Deno throws then, and Bun's upgrade returns false.
  for (let i = 0; i < 3; i++) {
    client.send("GET /");
    assertStrictEquals((await client.answer()).status, isBun ? 400 : 500);
  }
  client.send("GET /", "Connection: Upgrade", "Upgrade: websocket");
  assertStrictEquals((await client.head()).status, isBun ? 400 : 500);
  await server.freed();
});

test("limitRequests() frees the slot of a request that asks for an upgrade and gets an answer", async () => {
  await using server = new Served(() => new Response("no"));
  for (let i = 0; i < 3; i++) {
    using client = await server.connect();
    client.send("GET /", ...HEADERS);
    assertStrictEquals((await client.answer()).body, "no");
  }
  await server.empty();
});

test("limitRequests() refuses a WebSocket with an answer, and opens it once there is room", async () => {
  await using server = serveSockets();
  const first = await open(server);
  using second = await server.connect();
  second.send("GET /", ...HEADERS);
  assertStrictEquals((await second.answer()).status, 429);
  first.client.reset();
  await server.freed();
  await open(server);
});

/** Clients of WebSockets that are not ours. */
const CLIENTS: Readonly<Record<string, (url: string) => WebSocket>> = {
  "ws": (url) => new Ws(url) as unknown as WebSocket,
  ...typeof WebSocket === "function" && { "the runtime": (url: string) => new WebSocket(url) },
};

for (const [name, connect] of Object.entries(CLIENTS)) {
  test(`limitRequests() limits the WebSockets of a client by ${name}`, async () => {
    await using server = serveSockets();
    const url = `ws://127.0.0.1:${server.port}`;
    for (let i = 0; i < 3; i++) {
      const client = connect(url);
      const heard = new Promise((resolve) => client.onmessage = ({ data }) => resolve(String(data)));
      await within(new Promise((resolve) => client.onopen = resolve), "the WebSocket to open");
      const refused = connect(url);
      await within(new Promise((resolve) => refused.onerror = resolve), "the second to be refused");
      client.send("words");
      assertStrictEquals(await within(heard, "an echo"), "words");
      assertStrictEquals(server.limiter.open, 1);
      client.close();
      await server.freed(undefined, "127.0.0.1");
    }
    assertStrictEquals(server.calls, 3);
  });
}

test("limitRequests() frees the slot of a WebSocket that the server closes as it opens", async () => {
  await using server = new Served((request, info) => upgrade(request, info, (socket) => socket.close(1000, "bye")));
  for (let i = 0; i < 3; i++) {
    using client = await server.connect();
    client.send("GET /", ...HEADERS);
    await client.until("bye");
    client.write(CLOSE);
    await server.freed();
  }
});

/** What a WebSocket waits for, in the hands of a test. */
class Timers {
  readonly #timers = new Set<() => void>();

  get size(): number {
    return this.#timers.size;
  }

  readonly start = (_milliseconds: number, run: () => void): () => void => {
    this.#timers.add(run);
    return () => void this.#timers.delete(run);
  };

  /** Has the time of all be over. */
  pass(): void {
    const timers = [...this.#timers];
    this.#timers.clear();
    for (const run of timers) run();
  }
}

test("a WebSocket whose handler never settles holds its slot for a time only", { skip: !isDeno }, async () => {
  const timers = new Timers();
  let settle: ((response: Response) => void) | undefined;
  await using server = new Served(async (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onerror = () => {};
    holdSlot(request, socket, timers.start);
    await new Promise((resolve) => settle = resolve);
    return response;
  });
  using client = await server.ask("GET /", undefined, ...HEADERS);
  await eventually(() => settle !== undefined, "the handler");
  timers.pass();
  assertEquals([server.limiter.open, timers.size], [1, 1]);
  timers.pass();
  assertEquals([server.limiter.open, timers.size], [0, 0]);
  // It opens after all, without a slot.
  settle!(new Response());
  assertStrictEquals((await client.head()).status, 101);
  await client.read(2);
  client.write(CLOSE);
  await client.rest();
});

test("a WebSocket has no timer once it is open, or closed", { skip: !isDeno }, async () => {
  const timers = new Timers();
  const sockets: ServerSocket[] = [];
  await using server = Object.assign(
    new Served((request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onopen = () => sockets.push(socket);
      holdSlot(request, socket, timers.start);
      assertStrictEquals(timers.size, 1);
      return response;
    }),
    { sockets },
  );
  const { client } = await open(server);
  assertEquals([server.limiter.open, timers.size], [1, 0]);
  client.write(CLOSE);
  await server.freed();
  assertStrictEquals(timers.size, 0);
});
