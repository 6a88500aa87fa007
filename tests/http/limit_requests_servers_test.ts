/**
 * Servers as people run them: stopped while busy, on Unix sockets, by `export default`, below a framework.
 *
 * @module
 */

import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitRequests } from "@connlimit/connlimit/http";
import { Hono } from "hono";
import { answers, aWhile, connectToPath, eventually, freePort, within } from "../support/net.ts";
import { isBun, noUnixSockets, oneAddress } from "../support/platform.ts";
import { Program } from "../../testing/program.ts";
import { HttpClient } from "../../testing/http_client.ts";
import { unending } from "../support/http/responses.ts";
import { Bun, type BunServer, type Handler } from "../support/http/serve.ts";
import { Served } from "../support/http/served.ts";
import { open, serveSockets } from "../support/http/serve_sockets.ts";
import { Folder } from "../support/folder.ts";
import { printed } from "../support/console.ts";

test("limitRequests() frees the slots of requests that a server that stops waits for", async () => {
  const ends: (() => void)[] = [];
  await using server = new Served(() => unending((body) => ends.push(() => body.close())), {
    limits: { maxPerClient: 3 },
  });
  const clients = await Promise.all([1, 2, 3].map(() => server.ask("GET /")));
  for (const client of clients) await client.until("first");
  await server.held(3);
  const stopped = server.stop();
  await aWhile();
  assertStrictEquals(server.limiter.open, 3);
  for (const end of ends) end();
  await server.empty();
  for (const client of clients) client.fin();
  await within(stopped, "the server to stop");
});

test("limitRequests() frees the slots of requests and WebSockets that a server cuts off when it stops", async () => {
  await using server = new Served(() => unending(), { limits: { maxPerClient: 3 } });
  const clients = await Promise.all([1, 2, 3].map(() => server.ask("GET /")));
  for (const client of clients) await client.until("first");
  await server.held(3);
  await within(server.stop(true), "the server to stop");
  await server.empty();
  await using sockets = serveSockets();
  const { client } = await open(sockets);
  await sockets.held();
  const stopped = sockets.stop(true);
  // Deno leaves WebSockets to themselves.
  if (!isBun) client.reset();
  await sockets.empty();
  await within(stopped, "the server to stop");
});

test("limitRequests() counts the clients of a Unix socket as one", { skip: noUnixSockets }, async () => {
  using folder = new Folder();
  const unix = folder.file();
  let settle = () => {};
  const wait = () => new Promise<Response>((resolve) => settle = () => resolve(new Response("done")));
  await using server = new Served((request) => request.url.endsWith("/now") ? new Response("ok") : wait(), { unix });
  const ask = async (path: string) => {
    const client = new HttpClient(await connectToPath(unix));
    client.send(`GET ${path}`);
    return client;
  };
  for (let i = 0; i < 3; i++) {
    using client = await ask("/now");
    assertStrictEquals((await client.answer()).status, 200);
  }
  using first = await ask("/");
  await server.held();
  assertEquals([...server.limiter.clients()], [{ client: "unix", open: 1 }]);
  using second = await ask("/");
  assertStrictEquals((await second.answer()).status, 429);
  settle();
  assertStrictEquals((await first.answer()).body, "done");
  await server.empty();
});

test("limitRequests() limits a module that exports a fetch handler", { skip: oneAddress }, async () => {
  const port = await freePort();
  const file = fileURLToPath(new URL("../support/http/fetch_server.ts", import.meta.url));
  const args = isBun ? [file] : ["serve", "--allow-env", "--host=127.0.0.1", `--port=${port}`, file];
  await using _ = new Program(process.execPath, args, { env: { PORT: `${port}` } });
  await eventually(() => answers(port), "the server to listen");
  const clients = await Promise.all([1, 2].map(() => HttpClient.ask(port, "GET /")));
  for (const client of clients) await client.until("first");
  using third = await HttpClient.ask(port, "GET /");
  assertStrictEquals((await third.answer()).status, 429);
  using other = await HttpClient.connect(port, "127.0.0.3");
  other.send("GET /open");
  assertStrictEquals((await other.answer()).body, "3");
  for (const client of clients) client.reset();
  await eventually(async () => {
    other.send("GET /open");
    return (await other.answer()).body === "1";
  }, "the slots to be free");
});

test("limitRequests() limits the routes and the later handlers of a server of Bun", { skip: !isBun }, async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  let settle = () => {};
  const wait: Handler = () => new Promise((resolve) => settle = () => resolve(new Response("done")));
  const limited = limitRequests(limiter, wait);
  const server: BunServer = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    routes: { "/route": limited, "/method": { GET: limited } },
    fetch: () => new Response("other"),
  });
  const ask = (path: string) => HttpClient.ask(server.port!, `GET ${path}`);
  for (const path of ["/route", "/method", "/reloaded"]) {
    if (path === "/reloaded") server.reload({ fetch: limited });
    using client = await ask(path);
    await eventually(() => limiter.open === 1, "the request");
    using refused = await ask(path);
    assertStrictEquals((await refused.answer()).status, 429);
    settle();
    assertStrictEquals((await client.answer()).body, "done");
    await eventually(() => limiter.open === 0, "the slot to be free");
  }
  await server.stop(true);
});

test("limitRequests() limits an application of Hono", async () => {
  let settle = () => {};
  const app = new Hono()
    .get("/free", (c) => c.text("free\n"))
    .get("/wait", async (c) => {
      await new Promise<void>((resolve) => settle = resolve);
      return c.text("done");
    })
    .get("/stream", () => unending((body) => settle = () => body.close()))
    .get("/throws", () => {
      throw new Error("fails");
    });
  await using server = new Served(app.fetch as Handler);
  for (const path of ["/wait", "/stream"]) {
    using client = await server.ask(`GET ${path}`);
    await server.held();
    await aWhile();
    assertStrictEquals(await server.status("GET /wait"), 429);
    settle();
    assertStrictEquals((await client.answer()).status, 200);
    await server.freed(path);
  }
  const prints = await printed(async () => assertStrictEquals(await server.status("GET /throws"), 500));
  assertStrictEquals(prints.length, 1);
  await server.freed();
});
