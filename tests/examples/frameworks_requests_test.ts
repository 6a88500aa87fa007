/**
 * `limitServerRequests()` in front of frameworks, behind a proxy.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { HttpClient } from "../../testing/http_client.ts";
import { eventually } from "../support/net.ts";
import { withPackages } from "../support/with_packages.ts";

const LIMIT = `limitServerRequests(server, { maxPerClient: 2 }, {
  client: forwarded({ header: "x-forwarded-for", trusted: ["127.0.0.0/8"] }),
});`;

/** Programs that answer with the client's address where the framework knows it, and never to `/wait`. */
const SERVERS: Readonly<Record<string, string>> = {
  Express: `
    import express from "express";
    const app = express();
    app.set("trust proxy", "loopback");
    app.get("/", (request, response) => response.send(request.ip));
    app.get("/wait", () => {});
    const server = app.listen(Number(process.argv[2]));
    ${LIMIT}
  `,
  Fastify: `
    import fastify from "fastify";
    const app = fastify({ trustProxy: "127.0.0.0/8" });
    const { server } = app;
    ${LIMIT}
    app.get("/", async (request) => request.ip);
    app.get("/wait", () => new Promise(() => {}));
    await app.listen({ port: Number(process.argv[2]), host: "0.0.0.0" });
  `,
  "@hono/node-server": `
    import { createAdaptorServer } from "@hono/node-server";
    import { Hono } from "hono";
    const app = new Hono();
    app.get("/", (context) => context.text(context.req.header("x-forwarded-for") ?? ""));
    app.get("/wait", () => new Promise(() => {}));
    const server = createAdaptorServer(app);
    server.listen(Number(process.argv[2]));
    ${LIMIT}
  `,
};

const IMPORTS = `
  import { limitServerRequests } from "@connlimit/connlimit/node";
  import { forwarded } from "@connlimit/connlimit/proxy";
`;

for (const [name, program] of Object.entries(SERVERS)) {
  for (const runtime of ["Deno", "Bun", "Node"] as const) {
    Deno.test(`limitServerRequests() limits the clients of ${name} behind a proxy on ${runtime}`, () =>
      withPackages(IMPORTS + program, runtime, async ({ port }) => {
        const ask = async (client: string, path: string) => {
          const proxy = await HttpClient.connect(port, "127.0.0.1");
          proxy.send(`GET ${path}`, `X-Forwarded-For: 198.51.100.9, ${client}`);
          return proxy;
        };
        const status = async (client: string) => {
          using proxy = await ask(client, "/");
          return await proxy.answer();
        };
        const holders = await Promise.all([1, 2].map(() => ask("203.0.113.1", "/wait")));
        await eventually(async () => (await status("203.0.113.1")).status === 429, "the third to be refused");
        const other = await status("203.0.113.2");
        assertEquals([other.status, other.body.includes("203.0.113.2")], [200, true]);
        for (const holder of holders) holder.reset();
        await eventually(async () => (await status("203.0.113.1")).status === 200, "the slots to be free");
        assertStrictEquals((await status("203.0.113.1")).status, 200);
      }));
  }
}
