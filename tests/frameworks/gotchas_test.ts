/**
 * The servers of `docs/gotchas.md`, as they are printed, except for the port, the limit and the times: the wrong ones go
 * wrong, and the right ones do not.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { WebSocket } from "ws";
import { HttpClient } from "../../testing/http_client.ts";
import { type Client, connectFrom, ended, eventually, reply, within } from "../support/net.ts";
import { type Hosted, serversOf, withHosted } from "./support/page.ts";

interface Tried extends Pick<Hosted, "open" | "serving"> {
  readonly port: number;
  readonly wrong: boolean;
}

const connect = ({ port }: Tried) => connectFrom("127.0.0.1", port);
const echo = async (client: Client) => await reply(client, "hello") === "hello";

/** Sends a request from an address, for a client that a header names. Resolves to the status, or to 0. */
async function ask({ port }: Tried, from = "127.0.0.1", client = "203.0.113.1"): Promise<readonly [Client, number]> {
  const connection = await connectFrom(from, port);
  const request = ["GET / HTTP/1.1", "Host: localhost", `X-Forwarded-For: ${client}`, "", ""].join("\r\n");
  const text = await reply(connection, request);
  return [connection, Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? 0)];
}

/** Three requests that go on, each for a client of its own. Resolves to their statuses. */
async function threeClients(tried: Tried, from?: string): Promise<number[]> {
  const statuses: number[] = [];
  const connections: Client[] = [];
  for (const client of ["203.0.113.1", "203.0.113.2", "203.0.113.3"]) {
    const [connection, status] = await ask(tried, from, client);
    connections.push(connection);
    statuses.push(status);
  }
  for (const connection of connections) connection[Symbol.dispose]();
  return statuses;
}

/** How each pair of servers is tried, by their heading. All of them admit two. */
const TRIALS: Readonly<Record<string, (tried: Tried) => Promise<void>>> = {
  async "A slot that ends with its scope"(tried) {
    const clients = [await connect(tried), await connect(tried)];
    for (const client of clients) assert(await echo(client));
    using third = await connect(tried);
    assertStrictEquals(await echo(third), tried.wrong);
    for (const client of clients) client[Symbol.dispose]();
    await tried.open(0);
  },
  async "An event that does not come"(tried) {
    using leaver = await HttpClient.connect(tried.port, "127.0.0.1");
    leaver.send("GET /");
    await tried.open(1);
    leaver.reset();
    // It is answered after the first would have been.
    const [stayer, status] = await ask(tried);
    assertStrictEquals(status, 200);
    stayer[Symbol.dispose]();
    await tried.open(tried.wrong ? 1 : 0);
  },
  async "A socket that has closed meanwhile"(tried) {
    using leaver = await connect(tried);
    leaver.socket.write("alice");
    leaver.fin();
    // Its database answers after that of the first.
    const stayer = await connect(tried);
    assertStrictEquals(await reply(stayer, "bob"), "welcome\n");
    stayer[Symbol.dispose]();
    await tried.open(tried.wrong ? 1 : 0);
  },
  async "A connection that nobody closes"(tried) {
    for (let i = 0; i < 2; i++) {
      const client = await connect(tried);
      assertStrictEquals(await reply(client, ""), "hello\n");
      client[Symbol.dispose]();
    }
    await tried.open(tried.wrong ? 2 : 0);
    using third = await connect(tried);
    assertStrictEquals(await reply(third, ""), tried.wrong ? "" : "hello\n");
  },
  async "A loop that waits"(tried) {
    const first = await connect(tried);
    assert(await echo(first));
    using second = await connect(tried);
    let heard = "";
    second.socket.on("data", (data) => heard += data).write("hello");
    if (!tried.wrong) await eventually(() => heard === "hello", "the second client's echo");
    for (let i = 0; i < 10; i++) assert(await echo(first));
    if (tried.wrong) assertStrictEquals(heard, "");
    first[Symbol.dispose]();
    await eventually(() => heard === "hello", "the second client's echo");
  },
  async "Everyone is the proxy"(tried) {
    assertEquals(await threeClients(tried), [200, 200, tried.wrong ? 429 : 200]);
  },
  async "A header that anybody can send"(tried) {
    assertEquals(await threeClients(tried, "127.0.0.2"), tried.wrong ? [200, 200, 200] : [403, 403, 403]);
  },
  async "Requests are not connections"(tried) {
    using _1 = await connect(tried);
    using _2 = await connect(tried);
    const [third, status] = await ask(tried);
    assertStrictEquals(status, tried.wrong ? 200 : 0);
    third[Symbol.dispose]();
  },
  async "WebSockets of Deno"(tried) {
    const open = async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${tried.port}`);
      const opened = new Promise<boolean>((resolve) => {
        socket.on("open", () => resolve(true));
        socket.on("error", () => resolve(false));
      });
      return [socket, await within(opened, "the WebSocket to open")] as const;
    };
    const sockets = [await open(), await open()];
    await tried.open(tried.wrong ? 0 : 2);
    sockets.push(await open());
    assertEquals(sockets.map(([, opened]) => opened), [true, true, tried.wrong]);
    for (const [socket] of sockets) socket.terminate();
  },
  async "An error that ends the server"(tried) {
    using client = await connect(tried);
    assert(await echo(client));
    client.reset();
    if (tried.wrong) {
      const { code } = await within(tried.serving.program.ended, "the process to end");
      assertStrictEquals(code, 1);
    } else {
      await tried.open(0);
      using other = await connect(tried);
      assert(await echo(other));
    }
  },
  async "A heartbeat that keeps the dead"(tried) {
    using client = await connect(tried);
    if (!tried.wrong) return void await ended(client);
    let beats = 0;
    client.socket.on("data", (data) => beats += `${data}`.split("\n").length - 1);
    await eventually(() => beats >= 30, "thirty heartbeats");
    assertStrictEquals(client.socket.closed, false);
  },
};

const servers = serversOf("gotchas.md");

Deno.test("Every server of docs/gotchas.md is tried, in pairs", () => {
  assertEquals(servers.map(({ heading }) => heading), Object.keys(TRIALS).flatMap((heading) => [heading, heading]));
});

for (const [i, { heading, code }] of servers.entries()) {
  const wrong = i % 2 === 0;
  Deno.test(`${heading}: the ${wrong ? "wrong code goes wrong" : "right code does not"}`, () => {
    const program = code.replace(/maxPerClient: \d+/, "maxPerClient: 2")
      // A heartbeat of a tenth of a second, of which a second without an answer has ten.
      .replace("30_000", "100").replace("idleTimeout: 90_000", "idleTimeout: 1_000")
      // A module that does not end would not be imported.
      .replace(/^for await [^]*?^}$/m, (loop) => `(async () => {\n${loop}\n})();`);
    const runtime = /\bDeno\.|\busing /.test(program) ? "Deno" : "Node";
    return withHosted([program], runtime, async ({ ports, open, serving }) => {
      await TRIALS[heading]!({ port: ports[0]!, wrong, open, serving });
    });
  });
}
