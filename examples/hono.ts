/**
 * A limit around an application of Hono, on Deno and on Bun.
 *
 * It needs the packages of package.json, which `deno install` or `bun install` fetches.
 *
 *   deno serve examples/hono.ts
 *   bun examples/hono.ts
 *
 * Try it with `curl -N localhost:8000/slow`, six times at once.
 *
 * @module
 */

import { limitRequests } from "@connlimit/connlimit/http";
import { Hono } from "hono";

const app = new Hono()
  .get("/", (c) => c.text("hello\n"))
  .get("/slow", async (c) => {
    await new Promise((resolve) => setTimeout(resolve, 3000));
    return c.text("at last\n");
  });

const server: { port: number; fetch(request: Request, info?: unknown): Response | Promise<Response> } = {
  port: 8000, // for Bun; Deno takes it as --port
  fetch: limitRequests({ maxPerClient: 5 }, app.fetch),
};
export default server;
