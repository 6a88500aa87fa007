/**
 * The server of the runtime that the tests run on: `Deno.serve()` or `Bun.serve()`.
 *
 * @module
 */

import { isBun } from "../platform.ts";
import type { Setup } from "./served.ts";

/** A fetch handler; Bun allows it to answer nothing for a request that has been upgraded. */
// deno-lint-ignore no-explicit-any
export type Handler = (request: Request, info: any) => Response | Promise<Response> | undefined;

/** A WebSocket on the server's side, as both runtimes have it. */
export interface ServerSocket {
  send(text: string): unknown;
  close(code?: number, reason?: string): void;
  /** On Bun only. */
  terminate?(): void;
}

/** What of `Bun.serve()` is used. */
export interface BunServer {
  readonly port?: number;
  readonly pendingRequests: number;
  requestIP(request: Request): { address: string } | null;
  upgrade(request: Request, options?: { data?: unknown }): boolean;
  reload(options: object): void;
  stop(closeActive?: boolean): Promise<void>;
}

/** Bun, in the eyes of the tests that run on Deno too. */
export const Bun: { serve(options: object): BunServer; gc(synchronously: boolean): void; file(path: string): Blob } =
  (globalThis as unknown as { Bun: typeof Bun }).Bun;

/** Serves with the runtime's own server. */
export function serve(
  fetch: Handler,
  { tls = undefined, unix = undefined, hostname = "127.0.0.1", bun = {} }: Setup = {},
): { port: number; stop(now: boolean): Promise<void> } {
  const error = () => new Response("an error\n", { status: 500 });
  const where = unix === undefined ? { port: 0, hostname } : undefined;
  if (isBun) {
    const server = Bun.serve({
      ...where ?? { unix },
      ...tls && { tls },
      development: false,
      idleTimeout: 60,
      fetch,
      error,
      websocket: {
        open: (socket: ServerSocket & { data?: (socket: ServerSocket) => void }) => socket.data?.(socket),
        message: (socket: ServerSocket, text: string) => void socket.send(text),
      },
      ...bun,
    });
    return { port: server.port ?? 0, stop: (now) => server.stop(now) };
  }
  const abort = new AbortController();
  const options = { onListen() {}, onError: error, signal: abort.signal };
  const server: Deno.HttpServer<Deno.Addr> = where === undefined
    ? Deno.serve({ path: unix!, ...options }, fetch as Deno.ServeHandler<Deno.UnixAddr>)
    : Deno.serve({ ...where, ...tls, ...options }, fetch as Deno.ServeHandler);
  return {
    port: (server.addr as Deno.NetAddr).port,
    async stop(now) {
      if (now) abort.abort();
      await (now ? server.finished : server.shutdown());
    },
  };
}
