/**
 * A request holds a slot until it ends, and holds none afterwards, however it ends.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import type { HttpClient } from "../../testing/http_client.ts";
import { type Body, unending } from "../support/http/responses.ts";
import { Served } from "../support/http/served.ts";
import { aWhile } from "../support/net.ts";
import { isBun } from "../support/platform.ts";

/** What the end of a request can be caused by. */
interface Scene {
  readonly client: HttpClient;
  /** Settles what the handler has returned. */
  readonly settle: (response: Response | Promise<Response>) => void;
  /** What the body of a streamed response is written to. */
  readonly body: Body;
}

/** How a request is answered, and how it ends. */
interface Case {
  readonly request?: string;
  readonly answer: (stage: Stage) => Response | Promise<Response>;
  /** What the client reads before the end. */
  readonly reads?: string;
  readonly end: (scene: Scene) => unknown;
}

/** What a handler does, so that the test can end it. */
class Stage {
  readonly request: Request;
  body: Body | undefined;
  #settle = (_response: Response | Promise<Response>) => {};
  readonly settle = (response: Response | Promise<Response>): void => this.#settle(response);

  constructor(request: Request) {
    this.request = request;
  }

  /** A response whose body goes on until the test ends it. */
  stream(): Response {
    return unending((body) => this.body = body);
  }

  /** A response whose body comes as fast as it is read. */
  flood(): Response {
    const chunk = new Uint8Array(65_536);
    return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }));
  }

  /** A response that comes when the test has it come. */
  later(): Promise<Response> {
    return new Promise((resolve) => this.#settle = resolve);
  }
}

const stream = (stage: Stage) => stage.stream();
const later = (stage: Stage) => stage.later();
const flood = (stage: Stage) => stage.flood();

const CASES: Readonly<Record<string, Case>> = {
  "a stream that the server ends": { answer: stream, reads: "first", end: ({ body }) => body.close() },
  "a stream of an async handler that the server ends": {
    answer: async (stage) => {
      await Promise.resolve();
      return stage.stream();
    },
    reads: "first",
    end: ({ body }) => body.close(),
  },
  "a stream that fails": { answer: stream, reads: "first", end: ({ body }) => body.error(new Error("fails")) },
  "a stream whose client ends": { answer: stream, reads: "first", end: ({ client }) => client.fin() },
  "a stream whose client resets": { answer: stream, reads: "first", end: ({ client }) => client.reset() },
  "a stream whose client stops to read and resets": { answer: flood, end: ({ client }) => client.reset() },
  "a stream whose client stops to read and leaves": { answer: flood, end: ({ client }) => client[Symbol.dispose]() },
  // To Deno it is over when it is handed over to the server.
  ...isBun && {
    "a large body whose client stops to read and resets": {
      answer: () => new Response(new Uint8Array(64 * 2 ** 20)),
      end: ({ client }: Scene) => client.reset(),
    },
  },
  "a handler that takes a while": { answer: later, end: ({ settle }) => settle(new Response("done\n")) },
  "a handler that takes a while and rejects": {
    answer: later,
    end: ({ settle }) => settle(Promise.reject(new Error())),
  },
  "a handler that looks at the request's signal too, whose client resets": {
    answer: (stage) =>
      new Promise((_, reject) => stage.request.signal.addEventListener("abort", () => reject(new Error("left")))),
    end: ({ client }) => client.reset(),
  },
  "a stream that looks at the request's signal too, which the server ends": {
    answer: (stage) => {
      stage.request.signal.addEventListener("abort", () => {});
      return stage.stream();
    },
    reads: "first",
    end: ({ body }) => body.close(),
  },
  "a stream asked for with HEAD by an async handler": {
    request: "HEAD /",
    answer: later,
    end: ({ settle }) => settle(new Response(new ReadableStream({ pull() {} }))),
  },
};

for (const [name, { request = "GET /", answer, reads, end }] of Object.entries(CASES)) {
  test(`limitRequests() holds the slot of ${name}, until then`, async () => {
    let stage: Stage | undefined;
    await using server = new Served((request) => answer(stage ??= new Stage(request)));
    using client = await server.ask(request);
    if (reads !== undefined) await client.until(reads);
    await server.held();
    await aWhile();
    assertEquals([await server.status("GET /"), server.limiter.open, server.calls], [429, 1, 1]);
    end({ client, settle: stage!.settle, body: stage!.body! });
    await server.freed(name);
  });
}

test("limitRequests() sees of its own accord that streams have ended", async () => {
  await using server = new Served((request) => new Stage(request).stream(), { limits: { maxPerClient: 3 } });
  const clients = await Promise.all([1, 2, 3].map(() => server.ask("GET /")));
  await server.held(3);
  for (const client of clients) client.reset();
  await server.empty();
});
