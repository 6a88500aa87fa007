/**
 * One limiter for several handlers and servers: what has ended anywhere makes room at once, wherever the client asks.
 *
 * @module
 */

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitRequests } from "@connlimit/connlimit/http";
import { limitServer } from "@connlimit/connlimit/node";
import { connectFrom } from "../support/net.ts";
import { CLIENT_ADDRESS, isBun } from "../support/platform.ts";
import { HttpClient } from "../../testing/http_client.ts";
import { type Body, unending } from "../support/http/responses.ts";
import { Bun, type BunServer } from "../support/http/serve.ts";
import { Served } from "../support/http/served.ts";
import { internalsOf } from "../../src/core/internals.ts";

/** Gets a response that outlasts many turns of the event loop, to its end. Nothing but the client knows then that it has ended. */
async function getSlow(client: HttpClient, bodies: Body[]): Promise<void> {
  client.send("GET /slow");
  await client.until("first");
  bodies.shift()!.close();
  await client.until("\r\n0\r\n\r\n");
}

test("limitRequests() makes room at once for all servers that share a limiter", async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const bodies: Body[] = [];
  const slow = () => unending((body) => void bodies.push(body));
  await using first = new Served(slow, { limits: limiter });
  await using second = new Served(() => new Response("fast"), { limits: limiter });
  for (let i = 0; i < 5; i++) {
    using client = await first.connect();
    await getSlow(client, bodies);
    assertStrictEquals(await second.status("GET /"), 200);
  }
});

test(
  "limitRequests() makes room at once for all routes that share a limiter, also after a reload",
  { skip: !isBun },
  async () => {
    const limiter = new Limiter({ maxPerClient: 1 });
    const bodies: Body[] = [];
    const slow = () => limitRequests(limiter, () => unending((body) => void bodies.push(body)));
    const fast = () => limitRequests(limiter, () => new Response("fast"));
    const server: BunServer = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      routes: { "/slow": slow(), "/fast": fast() },
      fetch: fast(),
    });
    using client = await HttpClient.connect(server.port!);
    for (let i = 0; i < 5; i++) {
      for (const path of ["/fast", "/other"]) {
        await getSlow(client, bodies);
        client.send(`GET ${path}`);
        assertStrictEquals((await client.answer()).status, 200, path);
      }
      await getSlow(client, bodies);
      server.reload({ routes: { "/slow": slow(), "/fast": fast() }, fetch: fast() });
      client.send("GET /fast");
      assertStrictEquals((await client.answer()).status, 200, "reloaded");
    }
    await server.stop(true);
  },
);

test("limitRequests() makes room at once for connections that share its limiter", async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const bodies: Body[] = [];
  await using http = new Served(() => unending((body) => void bodies.push(body)), { limits: limiter });
  const net = createServer((socket) => void socket.on("error", () => {}).end("hello"));
  limitServer(net, limiter);
  net.listen(0, "127.0.0.1");
  await once(net, "listening");
  const { port } = net.address() as AddressInfo;
  for (let i = 0; i < 5; i++) {
    using client = await http.connect();
    await getSlow(client, bodies);
    if (i % 2 === 0) {
      using slot = limiter.accept(CLIENT_ADDRESS);
      assertStrictEquals(slot.admitted, true);
    } else {
      using tcp = new HttpClient(await connectFrom(CLIENT_ADDRESS, port));
      assertStrictEquals(await tcp.until("hello"), "hello");
      await tcp.rest();
    }
    await http.empty();
  }
  await new Promise((resolve) => net.close(resolve));
});

test("A limiter keeps nothing of a server of Bun that has no requests", { skip: !isBun }, async () => {
  const limiter = new Limiter({ maxPerClient: 100 });
  const { sweeps } = internalsOf(limiter)!.counts;
  await Promise.all([1, 2, 3].map(async () => {
    const bodies: Body[] = [];
    await using server = new Served(() => unending((body) => void bodies.push(body)), { limits: limiter });
    using client = await server.connect();
    await getSlow(client, bodies);
    await server.empty();
  }));
  assertStrictEquals(sweeps.size, 0);
});
