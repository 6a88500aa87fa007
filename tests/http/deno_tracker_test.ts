/**
 * Handlers that do not settle on Deno, where a client can leave unreported: their slots come back, and not before.
 *
 * @module
 */

import * as http2 from "node:http2";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { HttpClient } from "../../testing/http_client.ts";
import { limitHandler } from "../../src/http/limit_requests.ts";
import { HandClock } from "../support/hand_clock.ts";
import { BODIES, LEAVES, sendBody, USES, usesAndHangs } from "../support/http/bodies.ts";
import { type Handler, serve } from "../support/http/serve.ts";
import { aWhile, certificate, eventually, within } from "../support/net.ts";
import { isDeno } from "../support/platform.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** A server whose requests wait for a clock that the test moves. */
class Timed implements AsyncDisposable {
  readonly limiter = new Limiter();
  readonly clock = new HandClock();
  readonly #server: ReturnType<typeof serve>;
  readonly #clients: HttpClient[] = [];

  constructor(handler: Handler, setup: Parameters<typeof serve>[1] = {}) {
    const limited = limitHandler(this.limiter, handler as never, {}, undefined, this.clock);
    this.#server = serve(limited as Handler, setup);
  }

  get port(): number {
    return this.#server.port;
  }

  async ask(body: readonly string[]): Promise<HttpClient> {
    const client = await HttpClient.connect(this.port);
    this.#clients.push(client);
    await sendBody(client, body);
    return client;
  }

  async opens(count: number, when: string): Promise<void> {
    const { limiter } = this;
    await eventually(() => limiter.open === count, `${count} to be open ${when}`).catch(() => {});
    assertStrictEquals(limiter.open, count, when);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client[Symbol.dispose]();
    await within(this.#server.stop(true), "the server to stop");
  }
}

for (const [used, use] of Object.entries(USES)) {
  test(
    `limitRequests() frees the slot of a handler that ${used} a body and never settles, in time`,
    { skip: !isDeno },
    async () => {
      const cases = Object.entries(BODIES).flatMap(([name, body]) =>
        LEAVES.map(async (leave) => {
          const when = `with ${name}, and a client that leaves by ${leave}`;
          await using server = new Timed(usesAndHangs(use));
          const client = await server.ask(body);
          await server.opens(1, when);
          await aWhile();
          client[leave]();
          await aWhile();
          assertEquals([server.limiter.open, server.clock.running], [1, true], when);
          server.clock.pass(10 * SECOND);
          await aWhile();
          server.clock.pass(110 * SECOND);
          await server.opens(0, when);
          assertStrictEquals(server.clock.running, false, when);
        })
      );
      await Promise.all(cases);
    },
  );
}

test(
  "limitRequests() holds the slot of a request without a body for as long as its client is there",
  { skip: !isDeno },
  async () => {
    await using server = new Timed(usesAndHangs(() => {}));
    const client = await server.ask(BODIES["no body"]!);
    await server.opens(1, "at first");
    server.clock.pass(60 * MINUTE);
    await aWhile();
    assertEquals([server.limiter.open, server.clock.running], [1, false]);
    client.reset();
    await server.opens(0, "after the reset");
  },
);

test("limitRequests() holds the slot of a request with a body for two minutes, or until it is answered", {
  skip: !isDeno,
}, async () => {
  const settle: ((response: Response) => void)[] = [];
  await using server = new Timed(async (request) => {
    await request.arrayBuffer();
    return await new Promise((resolve) => settle.push(resolve));
  });
  const [first] = [await server.ask(BODIES["a long body"]!), await server.ask(BODIES["a long body"]!)];
  await eventually(() => settle.length === 2, "the handlers");
  server.clock.pass(114 * SECOND);
  await aWhile();
  assertStrictEquals(server.limiter.open, 2);
  settle[0]!(new Response("done"));
  assertStrictEquals((await first.answer()).body, "done");
  await server.opens(1, "after an answer");
  server.clock.pass(6 * SECOND);
  await server.opens(0, "after two minutes");
  assert(!server.clock.running);
});

for (const tls of [certificate(), undefined]) {
  test(
    `limitRequests() frees the slot of a client of HTTP/2${
      tls ? "" : " without TLS"
    } that leaves at once, in two minutes`,
    { skip: !isDeno },
    async () => {
      await using server = new Timed(usesAndHangs(() => {}), tls && { tls });
      const session = http2.connect(`${tls ? "https" : "http"}://127.0.0.1:${server.port}`, {
        rejectUnauthorized: false,
      });
      session.on("error", () => {});
      const stream = session.request({ ":path": "/", host: "localhost" }).on("error", () => {});
      await server.opens(1, "at first");
      stream.close(http2.constants.NGHTTP2_CANCEL);
      await aWhile();
      server.clock.pass(114 * SECOND);
      await aWhile();
      assertStrictEquals(server.limiter.open, 1);
      server.clock.pass(6 * SECOND);
      await server.opens(0, "after two minutes");
      session.destroy();
    },
  );
}

test("limitRequests() has no timer while no handler waits", { skip: !isDeno }, async () => {
  const settle: ((response: Response) => void)[] = [];
  await using server = new Timed((request) => {
    if (request.url.endsWith("/now")) return Promise.resolve(new Response("now"));
    return new Promise((resolve) => settle.push(resolve));
  });
  assertStrictEquals(server.clock.running, false);
  for (let i = 0; i < 3; i++) {
    const client = await server.ask(BODIES["no body"]!);
    await eventually(() => settle.length === 1, "the handler");
    assertStrictEquals(server.clock.running, true);
    settle.pop()!(new Response("done"));
    assertStrictEquals((await client.answer()).body, "done");
    assertStrictEquals(server.clock.running, false);
  }
});

test("limitRequests() survives requests that cannot be looked at, and frees their slots", () => {
  const clock = new HandClock();
  const limiter = new Limiter();
  const limited = limitHandler(limiter, () => new Promise(() => {}), { client: () => "192.0.2.7" }, undefined, clock);
  const fails = {
    get: () => {
      throw new TypeError("Request closed");
    },
  };
  const completed = new Promise<void>(() => {});
  for (const name of ["headers", "signal"]) {
    limited.call(undefined, Object.defineProperty(new Request("http://localhost/"), name, fails), { completed });
  }
  assertStrictEquals(limiter.open, 2);
  clock.pass(2 * MINUTE);
  assertEquals([limiter.open, clock.running], [0, false]);
});
