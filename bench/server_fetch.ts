/**
 * A server of `Deno.serve` or `Bun.serve` to put load on, in a process of its own.
 *
 *   deno run -A bench/server_fetch.ts MODE
 *   bun bench/server_fetch.ts MODE
 *
 * Prints its port.
 *
 * @module
 */

import process from "node:process";
import { limitRequests } from "../src/http/mod.ts";
import { refusedResponse } from "../src/http/refused.ts";

/** What a server does: answers every request, or refuses it, each without and with limits. */
export type FetchMode = "answer" | "answer limited" | "refuse" | "refuse limited";

const answer = () => new Response("hello\n");

const HANDLERS: Record<FetchMode, (request: Request, info: unknown) => Response | Promise<Response>> = {
  "answer": answer,
  "answer limited": limitRequests({ maxPerClient: 1_000 }, answer),
  "refuse": () => refusedResponse("client"),
  "refuse limited": limitRequests({ maxPerClient: 0 }, answer),
};

interface BunServe {
  serve(options: { port: number; hostname: string; fetch: (typeof HANDLERS)[FetchMode] }): { port: number };
}

const fetch = HANDLERS[process.argv[2] as FetchMode];
const where = { port: 0, hostname: "127.0.0.1" };
const { Bun } = globalThis as { Bun?: BunServe };
if (Bun === undefined) Deno.serve({ ...where, onListen: ({ port }) => console.log(port) }, fetch);
else console.log(Bun.serve({ ...where, fetch }).port);
