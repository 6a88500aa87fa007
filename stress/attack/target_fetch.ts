/**
 * A server of `Deno.serve` or `Bun.serve` under attack.
 *
 *   deno run -A stress/attack/target_fetch.ts ATTACK MODE
 *
 * @module
 */

import { limitRequests } from "../../src/http/mod.ts";
import { CHUNK, hooks, limiter, mode, nextChunk, serveState, work } from "./target.ts";

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/stream") return new Response(body(async (controller) => controller.enqueue(await nextChunk())));
  if (pathname === "/hold") return new Response(body(hold()));
  // The client may leave before it has sent all.
  await request.bytes().catch(() => {});
  work();
  return new Response("hello\n");
}

type Pull = (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => void | Promise<void>;

function body(pull: Pull): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ pull }, { highWaterMark: 0 });
}

/** A byte, and then nothing until the client leaves. */
function hold(): Pull {
  let begun = false;
  return (controller) => {
    if (begun) return new Promise<void>(() => {});
    begun = true;
    controller.enqueue(CHUNK.subarray(0, 1));
  };
}

interface BunServe {
  serve(options: { port: number; hostname: string; fetch: typeof handler }): { port: number };
}

const handler = mode === "bare" ? answer : limitRequests(limiter, answer, hooks);
const where = { port: 0, hostname: "0.0.0.0" };
const { Bun } = globalThis as { Bun?: BunServe };
if (Bun === undefined) Deno.serve({ ...where, onListen: ({ port }) => serveState(port) }, handler as Deno.ServeHandler);
else serveState(Bun.serve({ ...where, fetch: handler }).port);
