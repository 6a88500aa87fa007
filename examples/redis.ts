/**
 * A server for any number of processes and machines, and for `deno serve --parallel`, which answers on all cores. Each client
 * may have five requests in flight, over all that reach the same Redis or Valkey.
 *
 * It needs the packages of package.json, which `deno install` or `bun install` fetches, and a server of Redis or Valkey.
 *
 *   deno serve --parallel --allow-net --allow-env --allow-sys --port 8000 examples/redis.ts
 *   PORT=8001 bun examples/redis.ts
 *
 * Try it with `curl -N localhost:8000`, six times at once.
 *
 * @module
 */

import process from "node:process";
import { limitRequests } from "@connlimit/connlimit/http";
import { SharedLimiter } from "@connlimit/connlimit/redis";
import { createClient } from "redis";

const client = createClient({
  url: process.env.REDIS_URL ?? "redis://localhost:6379",
  disableOfflineQueue: true, // a command that has waited would say what was true then
});
client.on("error", (error: Error) => console.error(`Redis: ${error.message}`));
await client.connect();

const limiter = new SharedLimiter({ maxPerClient: 5 }, {
  name: "clock",
  send: (args) => client.sendCommand([...args]),
  onStatus: (status) => console.log(`the limit is ${status === "up" ? "shared" : "this process's own"}`),
});

process.once("SIGTERM", async () => {
  await limiter.close(); // so that its slots are free at once
  client.destroy(); // Deno ends when nothing is left to wait for
  if ("Bun" in globalThis) process.exit();
});

const server: { port: number; fetch(request: Request, info?: unknown): Response | Promise<Response> } = {
  port: Number(process.env.PORT ?? 8000), // for Bun; Deno takes it as --port
  fetch: limitRequests(limiter, () => new Response(clock())),
};
export default server;

/** Tells the time, every second until the client leaves. */
function clock(): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval>;
  return new ReadableStream<string>({
    start(controller) {
      const tell = () => controller.enqueue(`${new Date().toLocaleTimeString()}\n`);
      tell();
      timer = setInterval(tell, 1000);
    },
    cancel: () => clearInterval(timer),
  }).pipeThrough(new TextEncoderStream());
}
