/**
 * Which requests are refused, what they are answered, and what the hooks can change.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter, type LimitsOptions, type RefusalReason } from "@connlimit/connlimit";
import { limitRequests, type LimitRequestsOptions } from "@connlimit/connlimit/http";
import type { HttpClient } from "../../testing/http_client.ts";
import { Served } from "../support/http/served.ts";
import { isBun } from "../support/platform.ts";
import { throwing } from "../support/failures.ts";

/** The limits that refuse for each reason, and what is answered then. */
const REASONS: Readonly<
  Record<
    Exclude<RefusalReason, "rate" | "pending" | "timeout" | "unavailable" | "untrusted-peer" | "proxy-header">,
    [LimitsOptions, status: number, body: string, options?: LimitRequestsOptions]
  >
> = {
  "client": [{ maxPerClient: 0 }, 429, "Too Many Requests\n"],
  "aggregate": [{ aggregates: [{ ipv4Prefix: 24, max: 0 }] }, 429, "Too Many Requests\n"],
  "total": [{ maxTotal: 0 }, 503, "Service Unavailable\n"],
  "fair-share": [{ maxTotal: 1, fairShare: { floor: 0 } }, 429, "Too Many Requests\n"],
  "blocked": [{ networks: { "127.0.0.0/8": { maxPerClient: 0 } } }, 403, "Forbidden\n"],
  "unknown-address": [{}, 403, "Forbidden\n", { client: () => undefined }],
};

for (const [reason, [limits, status, body, options = {}]] of Object.entries(REASONS)) {
  test(`limitRequests() answers ${status} for the reason "${reason}", and that the connection is closed`, async () => {
    await using server = new Served(() => new Response("ok"), { limits, options });
    for (const request of ["GET /", "POST /"]) {
      using client = await server.connect();
      client.send(request, "Content-Length: 0");
      const answer = await client.answer();
      assertEquals([answer.status, answer.body], [status, body]);
      const { headers } = answer;
      assertStrictEquals(headers.get("retry-after"), status === 403 ? null : "1");
      assertStrictEquals(headers.get("connection"), "close");
      assertStrictEquals(headers.get("content-type"), "text/plain; charset=utf-8");
      // Deno 2.9 says that it closes the connection, and leaves it to the client.
      if (isBun) assertStrictEquals(await client.rest(), "");
    }
    assertEquals([server.calls, server.limiter.stats().refusedBy[reason as RefusalReason]], [0, 2]);
  });
}

test("limitRequests() answers a refused HEAD without a body, and a refused upload before it has come", async () => {
  await using server = new Served(() => new Response("ok"), { limits: { maxPerClient: 0 } });
  using head = await server.ask("HEAD /");
  assertStrictEquals((await head.head()).status, 429);
  head.fin();
  assertStrictEquals(await head.rest(), "");
  using upload = await server.connect();
  upload.send("POST /", "Content-Length: 1000000");
  upload.write("x".repeat(1000));
  assertStrictEquals((await upload.answer()).status, 429);
});

const fails = throwing(new Error("fails"));

/** What `answer` may do, and what is answered then. */
const ANSWERS: Readonly<Record<string, [LimitRequestsOptions["answer"], status: number, failures: number]>> = {
  "a response": [() => new Response("mine", { status: 418 }), 418, 0],
  "a promise of a response": [() => Promise.resolve(new Response("mine", { status: 418 })), 418, 0],
  "nothing": [() => {}, 429, 0],
  "a promise of nothing": [() => Promise.resolve(), 429, 0],
  "an exception": [fails, 429, 1],
  "a rejection": [() => Promise.reject(new Error("fails")), 429, 1],
};

for (const [name, [answer, status, failures]] of Object.entries(ANSWERS)) {
  test(`limitRequests() answers ${status} where answer gives ${name}`, async () => {
    const errors: unknown[] = [];
    const told: string[] = [];
    await using server = new Served(() => new Response("ok"), {
      limits: { maxPerClient: 0 },
      options: {
        answer(refusal, request) {
          told.push(`${refusal.reason} ${request.method}`);
          return answer!(refusal, request, undefined);
        },
        onError: (error) => void errors.push(error),
      },
    });
    assertStrictEquals(await server.status("GET /"), status);
    assertEquals([told, errors.length], [["client GET"], failures]);
  });
}

/** What `onRefused` may do, none of which changes the answer. */
const HOOKS: Readonly<Record<string, [LimitRequestsOptions["onRefused"], failures: number]>> = {
  "a response": [() => new Response("mine", { status: 418 }), 0],
  "an exception": [fails, 1],
  "a rejection": [() => Promise.reject(new Error("fails")), 1],
};

for (const [name, [onRefused, failures]] of Object.entries(HOOKS)) {
  test(`limitRequests() calls onRefused before answer, and answers the same where it gives ${name}`, async () => {
    const errors: unknown[] = [];
    const told: string[] = [];
    await using server = new Served(() => new Response("ok"), {
      limits: { maxPerClient: 0 },
      options: {
        onRefused(refusal, request, info) {
          told.push(`onRefused ${refusal.reason} ${request.method} ${info !== undefined}`);
          return onRefused!(refusal, request, info);
        },
        answer: () => void told.push("answer"),
        onError: (error) => void errors.push(error),
      },
    });
    assertStrictEquals(await server.status("GET /"), 429);
    assertEquals([told, errors.length], [["onRefused client GET true", "answer"], failures]);
  });
}

test("limitRequests() returns a handler that has its limiter", () => {
  const limiter = new Limiter();
  assertStrictEquals(limitRequests(limiter, () => new Response("ok")).limiter, limiter);
  assertEquals(limitRequests({ maxPerClient: 3 }, () => new Response("ok")).limiter.limits.maxPerClient, 3);
});

test("limitRequests() asks the option client whose request it is, and refuses a request without an answer", async () => {
  const errors: unknown[] = [];
  const client = (request: Request) => {
    const name = request.headers.get("x-forwarded-for");
    if (name === "throw") throw new Error("thrown");
    return name === null ? undefined : name === "key" ? { key: "an account" } : name;
  };
  const waiting: HttpClient[] = [];
  const settle: (() => void)[] = [];
  await using server = new Served(
    () => new Promise((resolve) => settle.push(() => resolve(new Response("done")))),
    { options: { client, onError: (error) => void errors.push(error) } },
  );
  const ask = (client?: string) =>
    server.ask("GET /", undefined, ...client === undefined ? [] : [`X-Forwarded-For: ${client}`]);
  for (const client of ["192.0.2.1", "2001:db8::1", "key"]) waiting.push(await ask(client));
  await server.held(3);
  assertEquals(
    [...server.limiter.clients()].map(({ client }) => client).sort(),
    ["192.0.2.1", "2001:db8::/64", "an account"],
  );
  const refused = [["192.0.2.1", 429], ["2001:db8::2", 429], ["key", 429], ["nonsense", 403], ["throw", 403]] as const;
  for (const [client, status] of refused) {
    assertStrictEquals((await (await ask(client)).answer()).status, status, client);
  }
  assertStrictEquals((await (await ask()).answer()).status, 403);
  assertEquals(errors.map((error) => String(error).slice(0, 37)), [
    'TypeError: client returned "nonsense"',
    "Error: thrown",
    "TypeError: client returned undefined,",
  ]);
  for (const answer of settle) answer();
  for (const client of waiting) assertStrictEquals((await client.answer()).body, "done");
  await server.empty();
});

test("limitRequests() throws for a missing handler, unknown options, hooks that are no functions, and bad limits", () => {
  // deno-lint-ignore no-explicit-any
  const limit = limitRequests as any;
  const ok = () => new Response("ok");
  const wrong: [unknown[], new () => Error, string][] = [
    [[{}], TypeError, "handler must be a function, got undefined"],
    [[{}, { fetch: ok }], TypeError, "handler must be a function, got an object"],
    [[{ maxPerIp: 1 }, ok], TypeError, "maxPerIp"],
    [[{ maxPerClient: -1 }, ok], RangeError, "maxPerClient must be a whole number from 0, or Infinity, got -1"],
    [
      [{}, ok, { onRefuse: ok }],
      TypeError,
      'unknown request option "onRefuse"; known are onRefused, onError, client, answer',
    ],
    [[{}, ok, { onRefused: 429 }], TypeError, "onRefused must be a function, got 429"],
    [[{}, ok, { onError: null }], TypeError, "onError must be a function, got null"],
    [[{}, ok, { answer: 429 }], TypeError, "answer must be a function, got 429"],
    [[{}, ok, { client: "x-forwarded-for" }], TypeError, 'client must be a function, got "x-forwarded-for"'],
    [[{}, ok, ok], TypeError, "options must be a plain object, got a function"],
    [[null, ok], TypeError, "limits must be a plain object, got null"],
    [[ok, {}], TypeError, "limits and handler are swapped: the limits come first"],
  ];
  for (const [args, type, message] of wrong) assertThrows(() => limit(...args), type, message);
});
