/**
 * The configurations and programs of `docs/coming-from.md`, as they are printed, except for ports and limits. What others do
 * and what is done here is tried by the same clients.
 *
 * @module
 */

import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ROOT } from "../support/with_server.ts";
import { type Client, connectFrom, eventually, reply } from "../support/net.ts";
import { noHaproxy, noNginx, RunningProxy } from "../support/real_proxies.ts";
import { testUnless } from "../support/test_unless.ts";
import { serversOf, withHosted } from "./support/page.ts";

const page = Deno.readTextFileSync(new URL("docs/coming-from.md", ROOT));
const servers = serversOf("coming-from.md");

/** A program of a section. The first is that of others, where there are two. */
const programOf = (heading: string, index: number) =>
  servers.filter((server) => server.heading === heading)[index]!.code;

/** A configuration, at another port and before another server. */
function configOf(language: string, server: Server): string {
  const [, config] = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page)!;
  return put(config!, { "7000": "{port}", "127.0.0.1:8080": `127.0.0.1:${(server.address() as AddressInfo).port}` });
}

/** Puts other texts in place of some, all of which must be there. */
function put(text: string, others: Readonly<Record<string, string>>): string {
  for (const [printed, other] of Object.entries(others)) {
    assert(text.includes(printed), `${printed} is not in ${text}`);
    text = text.replace(printed, other);
  }
  return text;
}

async function withListening(server: Server, use: () => Promise<void>): Promise<void> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await use();
  } finally {
    server.close();
    if ("closeAllConnections" in server) (server.closeAllConnections as () => void)();
  }
}

const hosted = (program: string, trial: (port: number) => Promise<void>) =>
  withHosted([program], "Node", ({ ports }) => trial(ports[0]!));

async function status(port: number, from: string): Promise<number> {
  using client = await connectFrom(from, port);
  const text = await reply(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return Number(/^HTTP\/1.1 (\d+) /.exec(text)![1]);
}

const echoes = async (client: Client) => await reply(client, "hello") === "hello";

async function echoesAt(port: number, from: string): Promise<boolean> {
  // HAProxy resets those whom it rejects, perhaps before they know that they are connected.
  const client = await connectFrom(from, port).catch(() => undefined);
  using _ = client;
  return client !== undefined && await echoes(client);
}

/** Two requests of a client may be in flight, and any number of silent connections be open. */
async function twoRequests(port: number): Promise<void> {
  const silent = [];
  for (let i = 0; i < 3; i++) silent.push(await connectFrom("127.0.0.2", port));
  const uploads = [];
  for (let i = 0; i < 2; i++) {
    const client = await connectFrom("127.0.0.2", port);
    client.socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab");
    uploads.push(client);
  }
  await eventually(async () => await status(port, "127.0.0.2") === 429, "both requests to be in flight");
  assertStrictEquals(await status(port, "127.0.0.3"), 200);
  for (const upload of uploads) assert((await reply(upload, "cd")).startsWith("HTTP/1.1 200 "));
  await eventually(async () => await status(port, "127.0.0.2") === 200, "a request to be done");
  for (const client of [...silent, ...uploads]) client[Symbol.dispose]();
}

/** Two connections of a client may be open. */
async function twoConnections(port: number): Promise<void> {
  const clients = [await connectFrom("127.0.0.2", port), await connectFrom("127.0.0.2", port)];
  for (const client of clients) assert(await echoes(client));
  assertEquals([await echoesAt(port, "127.0.0.2"), await echoesAt(port, "127.0.0.3")], [false, true]);
  for (const client of clients) client[Symbol.dispose]();
  await eventually(() => echoesAt(port, "127.0.0.2"), "a connection to be closed");
}

/** Five connections of a client may come one after the other. */
async function fiveInARow(port: number): Promise<void> {
  const echoed: boolean[] = [];
  for (let i = 0; i < 6; i++) echoed.push(await echoesAt(port, "127.0.0.2"));
  assertEquals(echoed, [true, true, true, true, true, false]);
  assertStrictEquals(await echoesAt(port, "127.0.0.3"), true);
}

/** Three requests of a client may come one after the other. */
async function threeInARow(port: number): Promise<void> {
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push(await status(port, "127.0.0.2"));
  assertEquals([...statuses, await status(port, "127.0.0.3")], [200, 200, 200, 429, 200]);
}

const web = () =>
  createHttpServer((request, response) => void request.resume().on("end", () => response.end("hello\n")));
const echo = () => createServer((socket) => void socket.on("error", () => {}).pipe(socket));

testUnless(noNginx, "nginx by docs/coming-from.md has two requests of a client in flight", async () => {
  const server = web();
  await withListening(server, async () => {
    await using nginx = await RunningProxy.nginx(put(configOf("nginx", server), { "client 20;": "client 2;" }));
    await twoRequests(nginx.port);
  });
});

Deno.test("What is in the place of nginx's limits has two requests of a client in flight", () =>
  hosted(put(programOf("nginx", 0), { "maxPerClient: 20": "maxPerClient: 2" }), twoRequests));

for (
  const [name, theirs, ours, trial] of [
    [
      "two connections of a client open",
      { "gt 10": "gt 2" },
      { "maxPerClient: 10": "maxPerClient: 2" },
      twoConnections,
    ],
    [
      "five connections of a client in a row",
      { "gt 50": "gt 5" },
      { "perSecond: 5, burst: 50": "perSecond: 0.1, burst: 5" },
      fiveInARow,
    ],
  ] as const
) {
  testUnless(noHaproxy, `HAProxy by docs/coming-from.md has ${name}`, async () => {
    const server = echo();
    await withListening(server, async () => {
      await using haproxy = await RunningProxy.haproxy(put(configOf("haproxy", server), theirs));
      await trial(haproxy.port);
    });
  });

  Deno.test(`What is in the place of HAProxy's stick tables has ${name}`, () =>
    hosted(put(programOf("HAProxy's stick tables", 0), ours), trial));
}

Deno.test("express-rate-limit by docs/coming-from.md has three requests of a client in a row", () =>
  hosted(put(programOf("express-rate-limit", 0), { "limit: 100": "limit: 3" }), threeInARow));

Deno.test("What is in the place of express-rate-limit has three requests of a client in a row", () =>
  hosted(
    put(programOf("express-rate-limit", 1), { "perSecond: 100 / 60, burst: 100": "perSecond: 0.1, burst: 3" }),
    threeInARow,
  ));

Deno.test("server.maxConnections lets one client have all connections", () =>
  hosted(put(programOf("server.maxConnections", 0), { "1_000": "2" }), async (port) => {
    const clients = [await connectFrom("127.0.0.2", port), await connectFrom("127.0.0.2", port)];
    for (const client of clients) assert(await echoes(client));
    assertStrictEquals(await echoesAt(port, "127.0.0.3"), false);
    for (const client of clients) client[Symbol.dispose]();
  }));

Deno.test("What is in the place of server.maxConnections has two connections of a client open", () =>
  hosted(put(programOf("server.maxConnections", 1), { "maxPerClient: 10": "maxPerClient: 2" }), twoConnections));

Deno.test("Every program of docs/coming-from.md is tried", () => {
  const counts = Object.entries(Object.groupBy(servers, ({ heading }) => heading)).map((
    [name, all],
  ) => [name, all!.length]);
  assertEquals(counts, [["nginx", 1], ["HAProxy's stick tables", 1], ["express-rate-limit", 2], [
    "server.maxConnections",
    2,
  ]]);
});
