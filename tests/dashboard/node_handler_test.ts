/**
 * Dashboards on servers, by real connections.
 *
 * @module
 */

import { once } from "node:events";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { serve as serveHono } from "@hono/node-server";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import express from "express";
import { Hono } from "hono";
import { Limiter } from "@connlimit/connlimit";
import { type Dashboard, dashboard, type DashboardOptions } from "@connlimit/connlimit/dashboard";
import { connectFrom, eventually, leavingNoSocket, within } from "../support/net.ts";
import { isBun, isDeno } from "../support/platform.ts";
import { serve } from "../support/http/serve.ts";
import { messages } from "../support/dashboard.ts";

const limiter = new Limiter({ maxPerClient: 3 });

function make(options: Partial<DashboardOptions> = {}): Dashboard {
  return dashboard({ chat: limiter }, { authorize: "loopback", ...options });
}

/** Asks a server at a port for all that a page asks for. */
async function look(port: number, path = "/"): Promise<void> {
  const base = `http://127.0.0.1:${port}${path}`;
  const page = await fetch(base);
  assertEquals([page.status, page.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  assertStringIncludes(await page.text(), "<!doctype html>");
  const stats = await fetch(`${base}stats.json`);
  assertEquals((await stats.json()).limiters[0].name, "chat");
  const explanation = await fetch(`${base}explain?peer=2001:db8::1`);
  assertEquals((await explanation.json()).client, "2001:db8::/64");
  const head = await fetch(base, { method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
  const post = await fetch(base, { method: "POST" });
  assertEquals(post.status, 405);
  await post.text();
  let count = 0;
  for await (const { limiters } of messages(await fetch(`${base}events`))) {
    assertEquals(limiters[0]!.name, "chat");
    if (++count === 2) break;
  }
}

/** Serves by `node:http` meanwhile. */
async function serving(listener: RequestListener, use: (port: number) => Promise<void>): Promise<void> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
}

test(
  "A dashboard is a listener of node:http",
  leavingNoSocket(async () => {
    using page = make({ interval: 250 });
    await serving(page.node, look);
  }),
);

test(
  "A dashboard is a handler of Express, below any path and behind its middleware",
  leavingNoSocket(async () => {
    using page = make({ interval: 250, authorize: (request) => request.headers.get("accept") !== null });
    const app = express();
    app.use("/limits", page.node);
    app.get("/other", (_: unknown, response: ServerResponse) => void response.end("other"));
    await serving(app, async (port) => {
      await look(port, "/limits/");
      assertEquals(await (await fetch(`http://127.0.0.1:${port}/other`)).text(), "other");
    });
  }),
);

test(
  "A dashboard is a handler of Hono on Node's server, by the environment",
  leavingNoSocket(async () => {
    using page = make({ interval: 250 });
    const app = new Hono().all("/limits/*", (c) => page(c.req.raw, c.env));
    // By default it replaces the runtime's own Response, which Bun's server does not take then.
    const server = serveHono({ fetch: app.fetch, port: 0, hostname: "127.0.0.1", overrideGlobalObjects: false });
    await once(server, "listening");
    await look((server.address() as AddressInfo).port, "/limits/");
    if ("closeAllConnections" in server) server.closeAllConnections();
    server.close();
    await once(server, "close");
  }),
);

if (isDeno || isBun) {
  test(
    "A dashboard is a handler of the runtime's own server, and of Hono there",
    leavingNoSocket(async () => {
      using page = make({ interval: 250 });
      const app = new Hono().all("/limits/*", (c) => page(c.req.raw, c.env));
      const server = serve((request, info) => {
        return new URL(request.url).pathname.startsWith("/limits/") ? app.fetch(request, info) : page(request, info);
      });
      await look(server.port);
      await look(server.port, "/limits/");
      await server.stop(true);
    }),
  );
}

test(
  "A path that looks like another host, and a request without a valid one, are answered",
  leavingNoSocket(async () => {
    using page = make({ authorize: ({ url }) => new URL(url).hostname === "localhost" });
    await serving(page.node, async (port) => {
      const answer = async (request: string) => {
        using client = await connectFrom("127.0.0.1", port);
        client.socket.write(`${request}\r\nConnection: close\r\n\r\n`);
        let text = "";
        client.socket.on("data", (data) => text += data);
        await within(once(client.socket, "close"), "the answer");
        return Number(text.split(" ")[1]);
      };
      assertEquals(await answer("GET //evil.example/stats.json HTTP/1.1\r\nHost: localhost"), 200);
      assertEquals(await answer("GET http://localhost/stats.json HTTP/1.1\r\nHost: evil.example"), 403);
      assertEquals(await answer("GET /%ff/%/stats.json HTTP/1.1\r\nHost: localhost"), 200);
      assertEquals(await answer("GET / HTTP/1.1\r\nHost: a b"), 400);
    });
  }),
);

test(
  "Several cookies of the answer to one who may not see it are sent",
  leavingNoSocket(async () => {
    const headers = new Headers({ location: "/login" });
    for (const name of ["a", "b"]) headers.append("set-cookie", `${name}=1`);
    using page = make({ authorize: () => new Response(null, { status: 302, headers }) });
    await serving(page.node, async (port) => {
      const response = await fetch(`http://127.0.0.1:${port}/`, { redirect: "manual" });
      assertEquals([response.status, response.headers.getSetCookie()], [302, ["a=1", "b=1"]]);
      await response.body?.cancel();
    });
  }),
);

test(
  "A client that leaves while authorize waits leaves no viewer behind",
  leavingNoSocket(async () => {
    let decide = (_: boolean) => {};
    let asked = 0;
    using page = make({
      maxViewers: 1,
      authorize: () => ++asked === 1 ? new Promise<boolean>((resolve) => decide = resolve) : true,
    });
    await serving(page.node, async (port) => {
      using client = await connectFrom("127.0.0.1", port);
      client.socket.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await eventually(() => asked === 1, "the question");
      client.reset();
      await once(client.socket, "close");
      decide(true);
      await eventually(async () => {
        const { status, body } = await fetch(`http://127.0.0.1:${port}/events`);
        await body!.cancel();
        return status === 200;
      }, "the viewer to be gone");
    });
  }),
);

test("A dashboard is a listener of node:http2, without its pseudo-header fields", async () => {
  using page = make();
  const server = createHttp2Server(page.node).listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = connectHttp2(`http://localhost:${(server.address() as AddressInfo).port}`);
  const stream = session.request({ ":path": "/a/stats.json" });
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) text += chunk;
  assert(JSON.parse(text).limiters[0].name === "chat", text);
  session.close();
  server.close();
  await once(server, "close");
});
