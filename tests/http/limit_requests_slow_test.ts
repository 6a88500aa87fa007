/**
 * What takes the runtimes seconds: clients that leave unreported, and idle WebSockets. All cases run at once.
 *
 * @module
 */

import * as http2 from "node:http2";
import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { upgradeWebSocket } from "@connlimit/connlimit/http";
import { HttpClient } from "../../testing/http_client.ts";
import { Folder } from "../support/folder.ts";
import { BODIES, LEAVES, sendBody, USES, usesAndHangs } from "../support/http/bodies.ts";
import { unending } from "../support/http/responses.ts";
import type { Handler } from "../support/http/serve.ts";
import { Served, type Setup } from "../support/http/served.ts";
import { HEADERS, open, serveSockets } from "../support/http/serve_sockets.ts";
import { aWhile, certificate, connectToPath, eventually } from "../support/net.ts";
import { isBun, noUnixSockets } from "../support/platform.ts";

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits for every slot to be free, for twice the ten seconds after which this is promised. */
async function freedLate(server: Served): Promise<void> {
  await eventually(() => server.limiter.open === 0, "a slot to be free").catch(() => server.empty());
}

function neverSettles(): Promise<Response> {
  return new Promise(() => {});
}

/** The cases of both runtimes. */
const BOTH: Readonly<Record<string, () => Promise<void>>> = {
  ...Object.fromEntries((["fin", "reset"] as const).map((end) => [
    `a handler that never settles and whose client leaves by ${end}`,
    async () => {
      await using server = new Served(neverSettles);
      using client = await server.ask("GET /");
      await server.held();
      client[end]();
      await aWhile();
      assertStrictEquals(server.limiter.open, 1);
      await freedLate(server);
    },
  ])),
};

/** The cases of Deno. */
const DENO: Readonly<Record<string, () => Promise<void>>> = {
  "a stream of an async handler that goes on": async () => {
    await using server = new Served(async () => {
      await Promise.resolve();
      return unending();
    });
    using client = await server.ask("GET /");
    await client.until("first");
    await sleep(11_000);
    assertEquals([server.limiter.open, await server.status("GET /")], [1, 429]);
  },
  "a handler that never settles, over HTTP/2, whose client leaves after a while": async () => {
    await using server = new Served(neverSettles, { tls: certificate() });
    const session = http2.connect(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false });
    const stream = session.request({ ":path": "/" }).on("error", () => {});
    await server.held();
    await sleep(11_000);
    assertStrictEquals(server.limiter.open, 1);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await server.empty();
    session.destroy();
  },
  ...Object.fromEntries((["fin", "reset"] as const).map((end) => [
    `a WebSocket that never opens, since its client leaves by ${end}`,
    async () => {
      const late = upgradingLate();
      await using server = new Served(late.handler);
      using client = await server.ask("GET /", undefined, ...HEADERS);
      await eventually(() => late.called, "the handler to be called");
      client[end]();
      await aWhile();
      late.settle();
      await freedLate(server);
    },
  ])),
  "a WebSocket that opens late, since its handler takes long": async () => {
    const late = upgradingLate();
    await using server = new Served(late.handler);
    using client = await server.ask("GET /", undefined, ...HEADERS);
    await sleep(11_000);
    late.settle();
    assertStrictEquals((await client.head()).status, 101);
    assertEquals([server.limiter.open, await server.status("GET /")], [1, 429]);
  },
  "a WebSocket that is silent": async () => {
    await using server = serveSockets();
    await open(server);
    await sleep(11_000);
    assertEquals([server.limiter.open, await server.status("GET /")], [1, 429]);
  },
  "a WebSocket that idles": async () => {
    let opened = false;
    await using server = new Served((request) => {
      const { socket, response } = upgradeWebSocket(request, { idleTimeout: 1 });
      socket.onopen = () => opened = true;
      return response;
    });
    // It takes no notice of what it is asked.
    using client = await server.ask("GET /", undefined, ...HEADERS);
    assertStrictEquals((await client.head()).status, 101);
    await eventually(() => opened, "the WebSocket to open");
    assertStrictEquals(server.limiter.open, 1);
    await freedLate(server);
  },
};

/** A handler that has upgraded, and answers when it is told to. */
function upgradingLate() {
  let answer: (() => void) | undefined;
  return {
    handler: async (request: Request): Promise<Response> => {
      const { response } = upgradeWebSocket(request);
      await new Promise<void>((resolve) => answer = resolve);
      return response;
    },
    get called(): boolean {
      return answer !== undefined;
    },
    settle(): void {
      answer!();
    },
  };
}

/** A handler that never settles on Bun, and whose client leaves. */
async function abandon(handler: Handler, body: readonly string[], leave: "fin" | "reset", setup?: Setup) {
  await using server = new Served(handler, setup);
  using client = setup?.unix === undefined ? await server.connect() : new HttpClient(await connectToPath(setup.unix));
  await sendBody(client, body);
  await server.held();
  await aWhile();
  client[leave]();
  await aWhile();
  assertStrictEquals(server.limiter.open, 1);
  await freedLate(server);
}

/** The cases of Bun. */
const BUN: Readonly<Record<string, () => Promise<void>>> = {
  ...Object.fromEntries(
    Object.entries(USES).flatMap(([used, use]) =>
      Object.entries(BODIES).flatMap(([name, body]) =>
        LEAVES.map((
          leave,
        ) => [
          `a handler that ${used} ${name} and never settles, and whose client leaves by ${leave}`,
          () => abandon(usesAndHangs(use), body, leave),
        ])
      )
    ),
  ),
  "a thenable that never calls back": () =>
    abandon((() => ({ then() {} })) as unknown as Handler, BODIES["no body"]!, "reset"),
  "a handler that never settles, on a Unix socket": async () => {
    if (noUnixSockets) return;
    using folder = new Folder();
    await abandon(neverSettles, BODIES["no body"]!, "fin", { unix: folder.file() });
  },
  "a WebSocket that idles": async () => {
    const opened: unknown[] = [];
    const websocket = { idleTimeout: 8, open: (socket: unknown) => void opened.push(socket), message() {} };
    await using server = serveSockets({ bun: { websocket } });
    using client = await server.ask("GET /", undefined, ...HEADERS);
    assertStrictEquals((await client.head()).status, 101);
    await eventually(() => opened.length > 0, "the WebSocket to open");
    assertStrictEquals(server.limiter.open, 1);
    await freedLate(server);
  },
  "a stream that idles": async () => {
    await using server = new Served(() => unending(), { bun: { idleTimeout: 2 } });
    using client = await server.ask("GET /");
    await client.until("first");
    assertStrictEquals(server.limiter.open, 1);
    await freedLate(server);
  },
};

test("limitRequests() frees a slot late where the runtime reports the end late, and never before the end", async () => {
  await Promise.all(Object.values({ ...BOTH, ...isBun ? BUN : DENO }).map((run) => run()));
});
