/**
 * `limitedListener()`: the accept loop that yields only admitted connections.
 *
 * @module
 */

import { checkHooks, type RefusalHooks } from "../admission/hooks.ts";
import { BunAcceptor } from "../bun/bun_acceptor.ts";
import { type BunListenerLike, type BunUnixListenerLike, isBunListener } from "../bun/native.ts";
import type { BunConn, NetAddr, UnixAddr } from "../bun/socket_conn.ts";
import type { Acceptor } from "../conn/acceptor.ts";
import type { AcceptorListener, ListenerLike } from "../conn/acceptor_listener.ts";
import {
  LimitedAcceptorListener,
  type LimitedListener,
  type LimitedListenerOptions,
} from "../conn/limited_acceptor_listener.ts";
import type { ConnLike } from "../conn/limited_conn.ts";
import { type Limiter, toLimiter } from "../core/limiter.ts";
import type { LimitsOptions } from "../core/limits.ts";
import { checkSignal, formatValue } from "../core/validate.ts";
import { DenoAcceptor } from "../deno/deno_acceptor.ts";

/**
 * Limits a listener: yields only the connections that are admitted and closes the others. Each connection carries its
 * slot, which is freed when the connection is closed, in whichever way. One client that connects and resets, or a lack of
 * file descriptors, does not end the loop.
 *
 * TCP clients are told apart by address. The peers of a Unix socket have none and are one client together, so
 * `maxPerClient` bounds them all. With `Deno.listenTls`, Deno performs the handshake of a refused connection even so; and
 * where a client stays silent in the handshake, or stops reading while it is written to, `close()` frees the slot but Deno
 * keeps the descriptor until the client leaves, beyond what can be counted. Terminate TLS in front of the server where
 * that matters, or take `tls.createServer()` and `limitServer()`.
 *
 * A listener of `Bun.listen()` is taken over, so call this right after it: its handlers are replaced, for good, so that
 * its `reload()` throws from then on; and connections that were open by then are not counted, and ended at their first
 * byte. Without its option `allowHalfOpen`, Bun closes a TLS connection when the client ends its side, before an answer
 * can be given; `listen()` from the entry point `./bun` sets it.
 *
 * @example An echo server
 * ```ts ignore
 * import { limitedListener } from "@connlimit/connlimit";
 *
 * for await (const conn of limitedListener(Deno.listen({ port: 7000 }), { maxPerClient: 10 })) {
 *   echo(conn);
 * }
 *
 * async function echo(conn: Deno.Conn) {
 *   using _ = conn;
 *   await conn.readable.pipeTo(conn.writable).catch(() => {});
 * }
 * ```
 *
 * @example The same on Bun
 * ```ts ignore
 * import { limitedListener } from "@connlimit/connlimit";
 *
 * const listener = Bun.listen({ hostname: "0.0.0.0", port: 7000, socket: { data() {} } });
 * for await (const conn of limitedListener(listener, { maxPerClient: 10 })) {
 *   conn.readable.pipeTo(conn.writable).catch(() => {});
 * }
 * ```
 *
 * @param listener A listener that nobody else accepts from, to be closed through the limited one.
 * @param limits A limiter, which several listeners may share, or the limits for one of its own; by default 100 connections
 * for each client.
 * @param options Hooks and a signal.
 * @throws {TypeError} For an unknown option or a value of the wrong type, and for a listener of Bun's that is closed or
 * limited already.
 * @throws {RangeError} For a limit out of its range.
 */
export function limitedListener(
  listener: BunListenerLike,
  limits?: Limiter | LimitsOptions,
  options?: LimitedListenerOptions<BunConn>,
): LimitedListener<BunConn, NetAddr>;
/** The same for a Unix listener of Bun's. */
export function limitedListener(
  listener: BunUnixListenerLike,
  limits?: Limiter | LimitsOptions,
  options?: LimitedListenerOptions<BunConn<UnixAddr>>,
): LimitedListener<BunConn<UnixAddr>, UnixAddr>;
/** The same for a listener of Deno's, or in its shape. */
export function limitedListener<C extends ConnLike, A>(
  listener: ListenerLike<C, A>,
  limits?: Limiter | LimitsOptions,
  options?: LimitedListenerOptions<C>,
): LimitedListener<C, A>;
export function limitedListener(
  listener: ListenerLike | BunListenerLike | BunUnixListenerLike,
  limits: Limiter | LimitsOptions = {},
  options: LimitedListenerOptions<never> = {},
): LimitedListener {
  checkHooks("listener", options, ["signal"]);
  checkSignal("signal", options.signal);
  const limiter = toLimiter(limits);
  const acceptor = acceptorOf(listener, limiter, options as RefusalHooks<ConnLike>);
  return new LimitedAcceptorListener(acceptor, limiter, options.signal);
}

function acceptorOf(
  listener: ListenerLike | BunListenerLike | BunUnixListenerLike,
  limiter: Limiter,
  hooks: RefusalHooks<ConnLike>,
): Acceptor<ConnLike, unknown> {
  const acceptor = isBunListener(listener)
    ? new BunAcceptor(listener)
    : (listener as Partial<AcceptorListener<ConnLike, unknown>>)?.acceptor;
  if (acceptor instanceof BunAcceptor && !acceptor.limited) {
    acceptor.limit(limiter, hooks);
    return acceptor;
  }
  if (typeof (listener as Partial<ListenerLike> | null)?.accept === "function") {
    return new DenoAcceptor(listener as ListenerLike, limiter, hooks);
  }
  throw new TypeError(`listener must be a listener of Deno's or Bun's, got ${formatValue(listener)}`);
}
