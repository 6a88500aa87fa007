/**
 * Fetch handlers whose limiter takes its time, on Deno and Bun.
 *
 * @module
 */

import { test } from "node:test";
import { limitRequests } from "@connlimit/connlimit/http";
import { limitHandler } from "../../src/http/limit_requests.ts";
import { isBun } from "../support/platform.ts";
import { leavesNothingPending } from "../support/pending_crowd.ts";
import { type Adapter, RULES, type Server, type Setup } from "../support/pending_rules.ts";
import { STORE_RULES } from "../support/store_rules.ts";

interface Info {
  readonly remoteAddr?: { readonly port: number };
  requestIP?(request: Request): { readonly port: number } | null;
}

interface FetchServer {
  readonly port: number;
  stop(): Promise<unknown>;
}

type Fetch = (request: Request, info: unknown) => Response | Promise<Response>;

interface Runtimes {
  readonly Bun: { serve(options: object): { readonly port: number; stop(closeAll: boolean): Promise<void> } };
  readonly Deno: {
    serve(options: object, fetch: Fetch): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
  };
}

function listen(fetch: Fetch): FetchServer {
  const { Bun, Deno } = globalThis as unknown as Runtimes;
  if (isBun) {
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch, development: false });
    return { port: server.port, stop: () => server.stop(true) };
  }
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, fetch);
  return { port: server.addr.port, stop: () => server.shutdown() };
}

function serve({ admitter, hooks, stage }: Setup): Server {
  const served: number[] = [];
  const handler = (request: Request, info: unknown) => {
    const { remoteAddr, requestIP } = info as Info;
    // The client may have left.
    served.push((remoteAddr ?? requestIP!.call(info, request))?.port ?? 0);
    return new Response("an answer");
  };
  const fetch = stage === undefined
    ? limitRequests(admitter, handler, hooks as never)
    : limitHandler(admitter, handler as never, hooks as never, stage as never);
  const server = listen(fetch as Fetch);
  return {
    port: server.port,
    served,
    async [Symbol.asyncDispose]() {
      await server.stop();
    },
  };
}

const adapter: Adapter = {
  serve,
  words: "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
  answer: "an answer",
  refusal: "connection: close",
  // Deno reports that a client has left only where that is asked for, on which it prints a warning.
  blind: !isBun,
};

for (const [rule, keeps] of Object.entries(RULES)) {
  test(`limitRequests() with a limiter that takes its time ${rule}`, () => keeps(adapter));
}
for (const [rule, keeps] of Object.entries(STORE_RULES)) {
  test(`limitRequests() with a shared limit ${rule}`, () => keeps(adapter));
}

const seed = Date.now() | 0;

test(
  `limitRequests() leaves nothing of a thousand pending requests (seed ${seed})`,
  leavesNothingPending(adapter, seed),
);
