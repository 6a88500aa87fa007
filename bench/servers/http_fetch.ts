/**
 * A server of `Deno.serve` or `Bun.serve`.
 *
 *   deno run -A bench/servers/http_fetch.ts MODE
 *   bun bench/servers/http_fetch.ts MODE
 *
 * @module
 */

import process from "node:process";
import { serveCommands } from "../lib/commands.ts";
import { loadHttp } from "../lib/library.ts";
import { bun } from "./bun.ts";

/**
 * What the server does with each request.
 *
 * - `answer`, `refuse`: by hand, without limits
 * - `ask and answer`: the same as `answer`, after a look at the client's address, and on Deno at the response's end. No
 *   limit can do without these.
 * - `answer limited`, `refuse limited`: by `limitRequests()`
 */
export type FetchMode = "answer" | "ask and answer" | "answer limited" | "refuse" | "refuse limited";

/** The part that is used of what the runtimes pass to a handler. */
interface Info {
  requestIP?(request: Request): { address: string } | null;
  readonly remoteAddr?: { readonly hostname: string };
  readonly completed?: Promise<void>;
}

type Handler = (request: Request, info: Info) => Response | Promise<Response>;

const REFUSAL = {
  status: 429,
  headers: { "connection": "close", "content-type": "text/plain; charset=utf-8", "retry-after": "1" },
};

const answer = () => new Response("hello\n");

function ask(request: Request, info: Info): string | undefined {
  if (info.requestIP !== undefined) return info.requestIP(request)?.address;
  info.completed!.then(ignore, ignore);
  return info.remoteAddr!.hostname;
}

function ignore(): void {}

const { limitRequests } = await loadHttp();
const handlers: Record<FetchMode, () => Handler> = {
  "answer": () => answer,
  "ask and answer": () => (request, info) => ask(request, info) === undefined ? Response.error() : answer(),
  "answer limited": () => limitRequests({ maxPerClient: 1_000 }, answer) as Handler,
  "refuse": () => () => new Response("Too Many Requests\n", REFUSAL),
  "refuse limited": () => limitRequests({ maxPerClient: 0 }, answer) as Handler,
};

const handler = handlers[process.argv[2] as FetchMode]();
const where = { port: 0, hostname: "127.0.0.1" };
const listening = (port: number) => serveCommands({ ports: [port] });
if (bun === undefined) {
  Deno.serve({ ...where, onListen: ({ port }) => listening(port) }, handler as Deno.ServeHandler);
} else listening(bun.serve({ ...where, fetch: handler }).port);
