/**
 * The listeners of all runtimes, and what they accept.
 *
 * @module
 */

import type { BunConn, NetAddr, UnixAddr } from "../bun/bun_conn.ts";
import { type BunListenerLike, type BunUnixListenerLike, isBunListener } from "../bun/native.ts";
import type { ConnLike } from "../conn/limited_conn.ts";
import type { ListenerLike } from "../conn/listener_like.ts";
import { typeError } from "../core/validate.ts";

/** A listener of Deno or one in its shape, or a listener of Bun. */
export type AnyListener = ListenerLike | BunListenerLike | BunUnixListenerLike;

/** The connections of a listener. */
export type ConnOf<N> = N extends BunListenerLike ? BunConn
  : N extends BunUnixListenerLike ? BunConn<UnixAddr>
  : N extends ListenerLike<infer C> ? C
  : never;

/** The address of a listener. */
export type AddrOf<N> = N extends BunListenerLike ? NetAddr
  : N extends BunUnixListenerLike ? UnixAddr
  : N extends ListenerLike<ConnLike, infer A> ? A
  : never;

/**
 * Checks that connections can be accepted.
 *
 * @throws {TypeError} If `listener` is no listener. The error says what to do with a server of Node's, and where the arguments are
 * swapped.
 */
export function checkListener(listener: unknown, limits: unknown): void {
  if (isListener(listener)) return;
  if (isListener(limits)) throw new TypeError("listener and limits are swapped: the listener comes first");
  const error = typeError("listener", "a listener of Deno's or Bun's", listener);
  const { listen, emit } = (listener ?? {}) as Record<string, unknown>;
  if (typeof listen === "function" && typeof emit === "function") {
    error.message += "; for servers of Node's there is limitServer() in ./node";
  }
  throw error;
}

function isListener(value: unknown): boolean {
  return isBunListener(value) || typeof (value as Partial<ListenerLike> | null | undefined)?.accept === "function";
}
