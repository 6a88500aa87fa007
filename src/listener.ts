/**
 * `limitedListener()`: the accept loop that yields only admitted connections.
 *
 * @module
 */

import { AcceptQueue } from "./bun/accept_queue.ts";
import type { BunConn, NetAddr, UnixAddr } from "./bun/conn.ts";
import { type BunListenerLike, type BunUnixListenerLike, isBunListener } from "./bun/native.ts";
import type { ConnLike, LimitedConn } from "./conn.ts";
import { AcceptLoop } from "./deno/accept_loop.ts";
import { checkHooks, type RefusalHooks } from "./hooks.ts";
import { type Limiter, limiterOf } from "./limiter.ts";
import type { LimitsOptions } from "./limits.ts";
import { checkSignal, show } from "./options.ts";
import { type ConnSource, LimitedSourceListener, type SourceListener } from "./source_listener.ts";

/** The listener that is to be limited; every `Deno.Listener` is one. */
export interface ListenerLike<C extends ConnLike = ConnLike, A = unknown> {
  /** The address that it listens on. */
  readonly addr: A;
  /** Waits for a connection. */
  accept(): Promise<C>;
  /** Stops listening. */
  close(): void;
  /** Lets a pending accept keep the process running. */
  ref(): void;
  /** Lets the process end in spite of a pending accept. */
  unref(): void;
}

/**
 * What a limited listener is told besides its limits.
 *
 * `onError` is also called for each accept that failed, after which the listener goes on. Without it, the first lack of
 * file descriptors is printed by `console.error`, and failures of single connections are only counted in
 * {@linkcode LimitedListener.acceptErrors}.
 */
export interface ListenerOptions<C extends ConnLike = ConnLike> extends RefusalHooks<C> {
  /** Closes the listener when aborted, as {@linkcode LimitedListener.close} does. */
  readonly signal?: AbortSignal;
}

/** How to stop gracefully. */
export interface ShutdownOptions {
  /**
   * Milliseconds that open connections have to end, 0 to 2,147,483,647, or `Infinity`. Those open after that are closed.
   *
   * @default {10_000}
   */
  readonly timeout?: number;
}

/**
 * A listener whose connections are all admitted. Where a `Deno.Listener` is taken, this one can be given.
 *
 * @typeParam C The connections of the listener underneath.
 * @typeParam A The address of the listener underneath.
 */
export interface LimitedListener<C extends ConnLike = ConnLike, A = unknown> extends Disposable {
  /** What admits, counts and refuses its connections. */
  readonly limiter: Limiter;
  /** The address that it listens on. */
  readonly addr: A;
  /** Accepts that failed, most of them because the client was gone by then. Always 0 on Bun, which tells of none. */
  readonly acceptErrors: number;
  /**
   * Waits for the next admitted connection. As on Deno's listeners, one call at a time.
   *
   * @throws {Deno.errors.BadResource} Once the listener is closed; on Bun an `Error` of that name.
   * @throws {Deno.errors.Busy} While another call is pending; on Bun an `Error` of that name.
   */
  accept(): Promise<LimitedConn<C>>;
  /** Iterates over admitted connections until the listener is closed; leaving the loop closes it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<LimitedConn<C>>;
  /** Stops listening. Open connections stay open. Closing twice is no error. */
  close(): void;
  /** The same as {@linkcode LimitedListener.close}, for `using`. */
  [Symbol.dispose](): void;
  /**
   * Stops gracefully: stops listening, waits for this listener's connections to end, and closes those that are still
   * open when the time is over.
   *
   * @param options How long to wait.
   * @returns How many connections had to be closed. Rejects with a `TypeError` for an unknown option or a `timeout` that is
   * no number, and with a `RangeError` for one out of its range.
   */
  shutdown(options?: ShutdownOptions): Promise<number>;
  /** Lets a pending accept keep the process running, as it does at first. */
  ref(): void;
  /** Lets the process end in spite of a pending accept. */
  unref(): void;
}

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
  options?: ListenerOptions<BunConn>,
): LimitedListener<BunConn, NetAddr>;
/** The same for a Unix listener of Bun's. */
export function limitedListener(
  listener: BunUnixListenerLike,
  limits?: Limiter | LimitsOptions,
  options?: ListenerOptions<BunConn<UnixAddr>>,
): LimitedListener<BunConn<UnixAddr>, UnixAddr>;
/** The same for a listener of Deno's, or in its shape. */
export function limitedListener<C extends ConnLike, A>(
  listener: ListenerLike<C, A>,
  limits?: Limiter | LimitsOptions,
  options?: ListenerOptions<C>,
): LimitedListener<C, A>;
export function limitedListener(
  listener: ListenerLike | BunListenerLike | BunUnixListenerLike,
  limits: Limiter | LimitsOptions = {},
  options: ListenerOptions<never> = {},
): LimitedListener {
  checkHooks("listener", options, ["signal"]);
  checkSignal("signal", options.signal);
  const limiter = limiterOf(limits);
  const source = sourceOf(listener, limiter, options as RefusalHooks<ConnLike>);
  return new LimitedSourceListener(source, limiter, options.signal);
}

function sourceOf(
  listener: ListenerLike | BunListenerLike | BunUnixListenerLike,
  limiter: Limiter,
  hooks: RefusalHooks<ConnLike>,
): ConnSource<ConnLike, unknown> {
  const queue = isBunListener(listener)
    ? new AcceptQueue(listener)
    : (listener as Partial<SourceListener<ConnLike, unknown>>)?.source;
  if (queue instanceof AcceptQueue && !queue.limited) {
    queue.limit(limiter, hooks);
    return queue;
  }
  if (typeof (listener as Partial<ListenerLike> | null)?.accept === "function") {
    return new AcceptLoop(listener as ListenerLike, limiter, hooks);
  }
  throw new TypeError(`listener must be a listener of Deno's or Bun's, got ${show(listener)}`);
}
