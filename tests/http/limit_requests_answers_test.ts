/**
 * The handler's answers pass unchanged, and each frees its slot.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitRequests } from "@connlimit/connlimit/http";
import { isBun, oneAddress } from "../support/platform.ts";
import { Bun } from "../support/http/serve.ts";
import { Served } from "../support/http/served.ts";
import { throwing } from "../support/failures.ts";

const FILE = fileURLToPath(import.meta.url);

/** The body of a file as each runtime has it. */
async function file(): Promise<Response> {
  if (isBun) return new Response(Bun.file(FILE));
  return new Response((await Deno.open(FILE)).readable);
}

function streamOf(...texts: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const text of texts) controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });
}

/** What a handler answers, and what comes of it. */
const ANSWERS: Readonly<Record<string, [() => Response | Promise<Response>, status: number, body: string]>> = {
  "text": [() => new Response("text"), 200, "text"],
  "text, later": [() => Promise.resolve(new Response("text")), 200, "text"],
  "nothing": [() => new Response(), 200, ""],
  "204": [() => new Response(null, { status: 204 }), 204, ""],
  "304": [() => new Response(null, { status: 304 }), 304, ""],
  "a redirect": [() => Response.redirect("http://localhost/other", 302), 302, ""],
  "a stream": [() => new Response(streamOf("a", "b", "c")), 200, "abc"],
  "a stream, later": [() => Promise.resolve(new Response(streamOf("a", "b", "c"))), 200, "abc"],
  "a file": [file, 200, readFileSync(FILE, "latin1")],
  "a megabyte": [() => new Response("x".repeat(2 ** 20)), 200, "x".repeat(2 ** 20)],
  "a throw": [throwing(new Error("fails")), 500, "an error\n"],
  "a rejection": [() => Promise.reject(new Error("fails")), 500, "an error\n"],
};

test("limitRequests() passes on what the handler answers, and frees the slot", async () => {
  for (const [name, [answer, status, body]] of Object.entries(ANSWERS)) {
    let open = 0;
    await using server = new Served(() => {
      open = server.limiter.open;
      return answer();
    });
    using client = await server.connect();
    // On one connection, one after the other: each needs the slot of the one before.
    for (let i = 0; i < 3; i++) {
      client.send("GET /");
      const got = await client.answer();
      assertEquals([got.status, got.body, open], [status, body, 1], name);
    }
    if (status !== 500) {
      client.send("HEAD /");
      assertStrictEquals((await client.head()).status, status, name);
      client.send("GET /free");
      assertStrictEquals((await client.answer()).body, "free\n", name);
    }
    assertStrictEquals(server.limiter.stats().refused, 0, name);
    await server.empty(name);
  }
});

test("limitRequests() calls the handler with what it is called with, and answers what that answers", () => {
  const calls: unknown[][] = [];
  const answer = { any: "thing" };
  const limited = limitRequests({}, function (this: unknown, ...args: unknown[]) {
    calls.push([this, ...args]);
    return answer;
  });
  const server = {};
  const request = new Request("http://localhost/");
  const info = { remoteAddr: { hostname: "192.0.2.7" } };
  assertStrictEquals(limited.call(server, request, info), answer);
  assertEquals(calls.map((call) => call.length), [3]);
  assert(calls[0]!.every((value, i) => value === [server, request, info][i]));
});

test("limitRequests() leaves the request as it is to the handler, and its body", async () => {
  await using server = new Served(async (request) => new Response(await request.text() + request.headers.get("x")));
  using client = await server.connect();
  for (let i = 0; i < 2; i++) {
    client.send("POST /", "X: y", "Content-Length: 5");
    client.write("hello");
    assertStrictEquals((await client.answer()).body, "helloy");
  }
});

test("limitRequests() lets one connection ask for more while its answers are under way, as far as the runtime does", async () => {
  await using server = new Served(() => new Response("ok"));
  using client = await server.connect();
  for (let i = 0; i < 5; i++) client.send("GET /");
  for (let i = 0; i < 5; i++) assertStrictEquals((await client.answer()).status, 200);
  await server.empty();
  assertEquals([server.limiter.stats().admitted, server.limiter.stats().peak], [5, 1]);
});

for (const end of ["sent to the end", "ended by a FIN", "ended by a reset"]) {
  test(`limitRequests() holds the slot while a body is uploaded, until that is ${end}`, async () => {
    await using server = new Served(async (request) => new Response(`${(await request.text()).length}`));
    using client = await server.connect();
    client.send("POST /", "Content-Length: 10");
    client.write("hello");
    await server.held();
    assertStrictEquals(await server.status("GET /"), 429);
    if (end === "ended by a FIN") client.fin();
    else if (end === "ended by a reset") client.reset();
    else {
      client.write("hello");
      assertStrictEquals((await client.answer()).body, "10");
    }
    await server.freed();
  });
}

test("limitRequests() frees the slot of a HEAD whose response would go on, and leaves the connection open", async () => {
  await using server = new Served(() => new Response(new ReadableStream({ pull() {} })));
  using client = await server.connect();
  for (let i = 0; i < 3; i++) {
    client.send("HEAD /");
    assertStrictEquals((await client.head()).status, 200);
  }
  await server.freed();
});

test("limitRequests() frees the slot of a request whose body is not read", async () => {
  await using server = new Served(() => new Response("ok"));
  using client = await server.connect();
  client.send("POST /", "Content-Length: 10");
  client.write("hello");
  assertStrictEquals((await client.answer()).body, "ok");
  await server.freed();
});

test("limitRequests() counts together what shares a limiter, and counts twice what is limited twice", {
  skip: oneAddress,
}, async () => {
  const limiter = new Limiter({ maxPerClient: 2 });
  const total = new Limiter({ maxTotal: 2 });
  const settle: (() => void)[] = [];
  const wait = () => new Promise<Response>((resolve) => settle.push(() => resolve(new Response("done"))));
  const inner = limitRequests(total, wait) as unknown as () => Promise<Response>;
  await using one = new Served(inner, { limits: limiter });
  await using two = new Served(() => new Response("ok"), { limits: limiter });
  using first = await one.ask("GET /");
  await one.held();
  assertStrictEquals(total.open, 1);
  // There is room for one more at the other server, which gives it back.
  for (let i = 0; i < 3; i++) assertStrictEquals(await two.status("GET /"), 200);
  using second = await one.ask("GET /");
  await one.held(2);
  assertStrictEquals(await two.status("GET /"), 429);
  assertStrictEquals(await one.status("GET /"), 429);
  assertStrictEquals(await one.status("GET /", "127.0.0.3"), 503);
  assertStrictEquals(total.open, 2);
  for (const answer of settle) answer();
  for (const client of [first, second]) assertStrictEquals((await client.answer()).body, "done");
  await one.freed();
  assertEquals([total.open, total.stats().admitted, total.stats().refusedBy.total], [0, 2, 1]);
});

test("limitRequests() goes by new limits from the next request on", async () => {
  let settle = () => {};
  await using server = new Served(() => new Promise((resolve) => settle = () => resolve(new Response("done"))));
  using client = await server.ask("GET /");
  await server.held();
  assertStrictEquals(await server.status("GET /"), 429);
  server.limiter.setLimits({ maxPerClient: 2 });
  assertStrictEquals(await server.status("GET /free"), 200);
  server.limiter.setLimits({ maxPerClient: 1 });
  assertStrictEquals(await server.status("GET /"), 429);
  settle();
  assertStrictEquals((await client.answer()).body, "done");
  await server.freed();
});
