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
import { refusedResponse } from "../src/admission/refusal_response.ts";

/**
 * What a server does: answers every request, or refuses it, each without and with limits; or answers when it has asked for
 * what no limit can do without: the client's address, and on Deno the response's end.
 */
export type FetchMode = "answer" | "ask and answer" | "answer limited" | "refuse" | "refuse limited";

/** What is used here of what the runtimes hand to a handler. */
interface Info {
  requestIP?(request: Request): { address: string } | null;
  readonly remoteAddr?: { readonly hostname: string };
  readonly completed?: Promise<void>;
}

const answer = () => new Response("hello\n");

function ask(request: Request, info: Info): string | undefined {
  if (info.requestIP !== undefined) return info.requestIP(request)?.address;
  info.completed!.then(ignore, ignore);
  return info.remoteAddr!.hostname;
}

function ignore(): void {}

const HANDLERS: Record<FetchMode, (request: Request, info: Info) => Response | Promise<Response>> = {
  "answer": answer,
  "ask and answer": (request, info) => ask(request, info) === undefined ? Response.error() : answer(),
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
if (Bun === undefined) Deno.serve({ ...where, onListen: ({ port }) => console.log(port) }, fetch as Deno.ServeHandler);
else console.log(Bun.serve({ ...where, fetch }).port);
