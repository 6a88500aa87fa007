/**
 * The servers of one runtime that are soaked, in one process, each with a limiter of its own, so that a leak shows where
 * it is.
 *
 *   deno run -A --v8-flags=--expose-gc stress/soak/soaked_servers.ts SEED HOSTNAME [bare]
 *
 * Prints where they listen. Commands: `watch` and `memory`.
 *
 * @module
 */

import process from "node:process";
import { serveCommands } from "../../bench/lib/commands.ts";
import { serveByCallbacks } from "./serve_callbacks.ts";
import { byReadAndWrite, byStreams, serveEach } from "./serve_accept_loop.ts";
import { measureMemory } from "./rest_memory.ts";
import { serveHttp, serveNet } from "./serve_node.ts";
import { type Watch, WatchedLimiter } from "./watched_limiter.ts";

/** A server, in the eyes of its clients. */
export interface Target {
  readonly name: string;
  readonly port: number;
  readonly speaks: "echo" | "HTTP";
}

/** What the process says of itself. */
export interface Watches {
  /** By the server's name. */
  readonly limiters: Readonly<Record<string, Watch>>;
  /** WebSockets that have not opened, and may never do. */
  readonly unopened: number;
  /** Bytes resident now. */
  readonly rss: number;
  /** Microseconds of CPU time used so far. */
  readonly cpu: number;
}

const [seed, hostname, mode] = process.argv.slice(2) as [string, string, string | undefined];
const targets: Target[] = [];
const limiters: Record<string, WatchedLimiter> = {};
let unopened = () => 0;

async function add(
  name: string,
  speaks: Target["speaks"],
  listen: (limiter: WatchedLimiter | undefined, hostname: string) => number | Promise<number>,
): Promise<void> {
  const limiter = mode === "bare" ? undefined : new WatchedLimiter(Number(seed) + targets.length);
  if (limiter !== undefined) limiters[name] = limiter;
  targets.push({ name, port: await listen(limiter, hostname), speaks });
}

/** In a function: without a `package.json` Node is given a script, in which nothing can be awaited outside of one. */
async function listen(): Promise<void> {
  const isBun = "Bun" in globalThis;
  if (isBun || "Deno" in globalThis) {
    await add("accept loop, streams", "echo", (limiter, hostname) => serveEach(limiter, hostname, byStreams));
    await add(
      "accept loop, read and write",
      "echo",
      (limiter, hostname) => serveEach(limiter, hostname, byReadAndWrite),
    );
    // Not for Node, which has nothing of the kind.
    const { countUnopened, serveFetch } = await import("./serve_fetch.ts");
    unopened = countUnopened;
    await add(isBun ? "Bun.serve" : "Deno.serve", "HTTP", serveFetch);
  }
  if (isBun) await add("callbacks", "echo", serveByCallbacks);
  await add("node:net", "echo", serveNet);
  await add("node:http", "HTTP", serveHttp);
}

listen().then(() => {
  serveCommands(targets, {
    watch(): Watches {
      const { user, system } = process.cpuUsage();
      return {
        limiters: Object.fromEntries(Object.entries(limiters).map(([name, limiter]) => [name, limiter.watch()])),
        unopened: unopened(),
        rss: process.memoryUsage().rss,
        cpu: user + system,
      };
    },
    memory: measureMemory,
  });
});
