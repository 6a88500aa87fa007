/**
 * `listen()`: a Bun listener in the shape of Deno's.
 *
 * @module
 */

import { AcceptorListener } from "../conn/acceptor_listener.ts";
import type { ListenerLike } from "../conn/listener_like.ts";
import type { DisposableLike } from "../core/disposable_like.ts";
import { checkOptions, checkPlainObject, typeError } from "../core/validate.ts";
import { bunAcceptor } from "./bun_acceptor.ts";
import type { BunAddr, BunConn, NetAddr, UnixAddr } from "./bun_conn.ts";
import type { BunListenerLike } from "./native.ts";

/** The address of a TCP or TLS listener. */
export interface BunListenOptions {
  /** The port. `0` lets the system choose one. */
  readonly port: number;
  /**
   * The host name or address.
   *
   * @default {"0.0.0.0"}
   */
  readonly hostname?: string;
  /**
   * The transport, as in `Deno.listen()`.
   *
   * @default {"tcp"}
   */
  readonly transport?: "tcp";
  /** The `tls` option of Bun, such as `{ cert, key }`. It makes a TLS listener. */
  readonly tls?: object;
}

/** The address of a Unix listener. */
export interface BunUnixListenOptions {
  /** The transport, as in `Deno.listen()`. */
  readonly transport: "unix";
  /** The path of the socket. */
  readonly path: string;
  /** The `tls` option of Bun, such as `{ cert, key }`. It makes a TLS listener. */
  readonly tls?: object;
}

/**
 * A listener of Bun in the shape of a `Deno.Listener`.
 *
 * @typeParam A Its address, and the address of its connections.
 */
export interface BunListener<A extends BunAddr = NetAddr> extends ListenerLike<BunConn<A>, A>, DisposableLike {
  /** Iterates over connections until the listener closes. Leaving the loop closes it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<BunConn<A>>;
}

/**
 * Listens on Bun as `Deno.listen()` does on Deno, so that one program runs on both with one line changed.
 *
 * The listener is meant for `limitedListener()`. By itself it has no limit: Bun accepts every connection and queues it.
 * Unlike `Bun.listen()` without `allowHalfOpen`, it lets the server answer a client that has ended its side.
 *
 * @example An echo server
 * ```ts ignore
 * import { limitedListener } from "@connlimit/connlimit";
 * import { listen } from "@connlimit/connlimit/bun";
 *
 * for await (const conn of limitedListener(listen({ port: 7000 }), { maxPerClient: 10 })) {
 *   conn.readable.pipeTo(conn.writable).catch(() => {});
 * }
 * ```
 *
 * @param options The address to listen on.
 * @returns The listener.
 * @throws {TypeError} For an unknown option or transport.
 * @throws {Error} Without Bun; and what `Bun.listen()` throws, such as for a port that is taken.
 */
export function listen(options: BunListenOptions): BunListener;
/** Listens on a Unix socket. */
export function listen(options: BunUnixListenOptions): BunListener<UnixAddr>;
export function listen(options: BunListenOptions | BunUnixListenOptions): BunListener<BunAddr> {
  checkPlainObject("options", options);
  const { Bun } = globalThis as Runtime;
  if (Bun === undefined) throw new Error("listen() needs Bun; on Deno there is Deno.listen()");
  // `allowHalfOpen` cannot be had later. The handlers are replaced before anything can come.
  const native = Bun.listen({ ...target(options), tls: options.tls, allowHalfOpen: true, socket: { data() {} } });
  return new AcceptorListener(bunAcceptor<BunAddr>(native, true, options.tls !== undefined));
}

function target(options: BunListenOptions | BunUnixListenOptions): object {
  const { transport } = options;
  if (transport === "unix") {
    checkOptions("options", "listen option", options, ["transport", "path", "tls"]);
    return { unix: options.path };
  }
  if (transport !== undefined && transport !== "tcp") {
    throw typeError("transport", '"tcp" or "unix"', transport);
  }
  checkOptions("options", "listen option", options, ["transport", "hostname", "port", "tls"]);
  const { hostname = "0.0.0.0", port } = options;
  return { hostname, port };
}

interface Runtime {
  readonly Bun?: { listen(options: object): BunListenerLike };
}
