/**
 * Upgraded sockets hold their slots until they close, and refused upgrades are answered as plain HTTP.
 *
 * @module
 */

import { createServer, type Server } from "node:http";
import type * as net from "node:net";
import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { WebSocketServer } from "ws";
import { HttpClient } from "../../testing/http_client.ts";
import { HEADERS } from "../../testing/frames.ts";
import { aWhile, eventually } from "../support/net.ts";
import { answering, client, LimitedRequests } from "../support/node/limited_requests.ts";
import { ignore } from "../support/node/server_kinds.ts";

/** Takes upgrades and `CONNECT` as tunnels, and echoes. */
function tunnelling(): { server: Server; tunnels: net.Socket[] } {
  const { server } = answering();
  const tunnels: net.Socket[] = [];
  for (const event of ["upgrade", "connect"] as const) {
    server.on(event, (_request, socket: net.Socket) => {
      tunnels.push(socket.on("error", ignore));
      socket.on("end", () => socket.end());
      socket.on("data", (data) => socket.write(data));
      socket.write("HTTP/1.1 200 Tunnel\r\n\r\n");
    });
  }
  return { server, tunnels };
}

const ASKS: Readonly<Record<string, [request: string, ...headers: string[]]>> = {
  "an upgrade": ["GET /", "Connection: Upgrade", "Upgrade: echo"],
  "a CONNECT": ["CONNECT example.com:80"],
};

const ENDS: Readonly<Record<string, (client: HttpClient, tunnel: net.Socket) => void>> = {
  "the client ends it": (client) => client.fin(),
  "the client resets it": (client) => client.reset(),
  "the server ends it": (client, tunnel) => {
    client.socket.on("end", () => client.fin());
    tunnel.end();
  },
  "the server destroys it": (_, tunnel) => void tunnel.destroy(),
  "the server takes all listeners off": (client, tunnel) => {
    tunnel.removeAllListeners();
    tunnel.on("error", ignore);
    client.reset();
  },
};

for (const [what, ask] of Object.entries(ASKS)) {
  test(`limitServerRequests() holds the slot of ${what} until the socket closes, and refuses the one too many`, async () => {
    for (const [end, finish] of Object.entries(ENDS)) {
      const { server, tunnels } = tunnelling();
      await using limited = await LimitedRequests.listen(server, { maxPerClient: 1 });
      using tunnel = await HttpClient.ask(limited.port, ...ask);
      assertStrictEquals((await tunnel.until("\r\n\r\n")).split("\r\n")[0], "HTTP/1.1 200 Tunnel");
      tunnel.write("ping");
      assertStrictEquals(await tunnel.read(4), "ping");
      await aWhile();
      assertStrictEquals(limited.limiter.open, 1);

      using refused = await HttpClient.ask(limited.port, ...ask);
      const answer = await refused.answer();
      assertEquals(
        [answer.status, answer.headers.get("retry-after"), answer.headers.get("connection"), answer.body],
        [429, "1", "close", "Too Many Requests\n"],
      );
      assertStrictEquals(await refused.rest(), "");

      finish(tunnel, tunnels[0]!);
      await eventually(() => limited.limiter.open === 0, `the slot to be free when ${end}`);
      await limited.answered(1, 1);
    }
  });
}

test("limitServerRequests() counts upgrades of one proxy for their clients", async () => {
  const { server } = tunnelling();
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 1 }, { client });
  const upgrade = async (address: string) => {
    const tunnel = await HttpClient.connect(limited.port, "127.0.0.1");
    tunnel.send(...ASKS["an upgrade"]!, `X-Forwarded-For: ${address}`);
    return { tunnel, status: (await tunnel.head()).status };
  };
  const tunnels = await Promise.all(["203.0.113.1", "203.0.113.2", "203.0.113.1"].map(upgrade));
  assertEquals(tunnels.map(({ status }) => status), [200, 200, 429]);
  assertEquals(["203.0.113.1", "203.0.113.2"].map((address) => limited.limiter.openFor(address)), [1, 1]);
  for (const { tunnel } of tunnels) tunnel[Symbol.dispose]();
  await limited.holds(0);
});

test("limitServerRequests() frees a refused upgrade whose client neither reads nor leaves, and survives its reset", async () => {
  const { server } = tunnelling();
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 0 }, {
    answer: () => ({ status: 503, body: new Uint8Array(16 << 20) }),
  });
  using stuck = await HttpClient.ask(limited.port, ...ASKS["an upgrade"]!);
  stuck.socket.pause();
  using gone = await HttpClient.ask(limited.port, ...ASKS["an upgrade"]!);
  await limited.answered(0, 2);
  gone.reset();
  await eventually(() => limited.sockets.length === 0, "the sockets to be closed");
});

test("limitServerRequests() sends the answer of its option to a refused upgrade", async () => {
  const { server } = tunnelling();
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 0 }, {
    answer: ({ reason }) => ({ status: 503, headers: { "X-Reason": reason, "Connection": "keep-alive" }, body: "no" }),
  });
  using refused = await HttpClient.ask(limited.port, ...ASKS["an upgrade"]!);
  const { status, headers, body } = await refused.answer();
  assertEquals([status, headers.get("x-reason"), headers.get("connection"), body], [503, "client", "close", "no"]);
  await refused.rest();
});

for (const order of ["before", "after"]) {
  test(`limitServerRequests() limits WebSockets of ws that is attached ${order} it`, async () => {
    const { server } = answering();
    const attach = () => new WebSocketServer({ server }).on("connection", (socket) => socket.on("error", ignore));
    if (order === "before") attach();
    await using limited = await LimitedRequests.listen(server, { maxPerClient: 2 });
    if (order === "after") attach();
    const clients = await Promise.all([1, 2, 3].map(() => HttpClient.ask(limited.port, "GET /", ...HEADERS)));
    const statuses = await Promise.all(clients.map(async (client) => (await client.head()).status));
    assertEquals(statuses.sort(), [101, 101, 429]);
    // A request counts, too.
    using request = await HttpClient.ask(limited.port, "GET /");
    assertStrictEquals((await request.answer()).status, 429);
    for (const client of clients) client.reset();
    await limited.holds(0);
    using again = await HttpClient.ask(limited.port, "GET /", ...HEADERS);
    assertStrictEquals((await again.head()).status, 101);
  });
}

test("limitServerRequests() counts an upgrade that nobody takes as the server does", async () => {
  const server = createServer((_request, response) => void response.end("plain"));
  await using limited = await LimitedRequests.listen(server, { maxPerClient: 1 });
  for (let request = 0; request < 3; request++) {
    using asks = await HttpClient.ask(limited.port, "GET /", "Connection: Upgrade", "Upgrade: nothing");
    await asks.until("plain");
    await limited.holds(0);
  }
});
