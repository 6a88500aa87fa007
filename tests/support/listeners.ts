/**
 * Loops over listeners, and what they yield, on Deno and on Bun.
 *
 * @module
 */

import type { ConnLike, Limiter } from "@connlimit/connlimit";
import { eventually } from "./net.ts";

/** Serves until the listener is closed, keeping every connection in `conns`; resolves to them. */
export async function keepAll<C>(listener: AsyncIterable<C>, conns: C[] = []): Promise<C[]> {
  for await (const conn of listener) conns.push(conn);
  return conns;
}

/** Echoes whatever comes until the listener is closed, and leaves closing to the streams. */
export async function echoAll(listener: AsyncIterable<ConnLike>): Promise<void> {
  for await (const conn of listener) conn.readable.pipeTo(conn.writable).catch(() => {});
}

/** Closes whatever can be closed. */
export function closeAll(disposables: readonly Disposable[]): void {
  for (const disposable of disposables) disposable[Symbol.dispose]();
}

/** Waits until the limiter has answered so many connections. */
export function answered(limiter: Limiter, count: number): Promise<void> {
  return eventually(() => {
    const { admitted, refused } = limiter.stats();
    return admitted + refused >= count;
  }, `${count} connections to be answered`);
}
