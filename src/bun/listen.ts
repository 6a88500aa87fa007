/**
 * `listen()`: a Bun listener in the shape of Deno's.
 *
 * @module
 */

import type { ListenerLike } from "../conn/acceptor_listener.ts";
import { AcceptorListener } from "../conn/acceptor_listener.ts";
import { checkPlainObject, formatValue, rejectUnknownKeys } from "../core/validate.ts";
import { BunAcceptor } from "./bun_acceptor.ts";
import type { BunListenerLike } from "./native.ts";
import type { BunAddr, BunConn, NetAddr, UnixAddr } from "./socket_conn.ts";

/** Where to listen for TCP or TLS connections. */
export interface BunListenOptions {
  /** The port; 0 for one that the system chooses. */
  readonly port: number;
  /**
   * The host.
   *
   * @default {"0.0.0.0"}
   */
  readonly hostname?: string;
  /**
   * As on Deno.
   *
   * @default {"tcp"}
   */
  readonly transport?: "tcp";
  /** What Bun's `tls` option takes, such as `{ cert, key }`: makes it a TLS listener. */
  readonly tls?: object;
}

/** Where to listen for Unix connections. */
export interface BunUnixListenOptions {
  /** As on Deno. */
  readonly transport: "unix";
  /** The path of the socket. */
  readonly path: string;
  /** What Bun's `tls` option takes, such as `{ cert, key }`: makes it a TLS listener. */
  readonly tls?: object;
}

/**
 * A listener of Bun's in the shape of a `Deno.Listener`.
 *
 * @typeParam A Its address, and those of its connections.
 */
export interface BunListener<A extends BunAddr = NetAddr> extends ListenerLike<BunConn<A>, A>, Disposable {
  /** Iterates over connections until the listener is closed; leaving the loop closes it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<BunConn<A>>;
  /** The same as `close()`, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Listens on Bun as `Deno.listen()` does on Deno, so that one program runs on both, with one line different. The listener
 * is meant for `limitedListener()`. By itself it sets no bounds: Bun accepts whatever comes, and what nobody has asked for
 * waits.
 *
 * Unlike a listener that is made by `Bun.listen()` without `allowHalfOpen`, it lets a connection be written to after its
 * peer has ended its own side, as is usual after a request.
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
 * @throws {TypeError} For an unknown option or transport.
 * @throws {Error} Without Bun; and what `Bun.listen()` throws, such as for a port that is taken.
 */
export function listen(options: BunListenOptions): BunListener;
/** The same for Unix connections. */
export function listen(options: BunUnixListenOptions): BunListener<UnixAddr>;
export function listen(options: BunListenOptions | BunUnixListenOptions): BunListener<BunAddr> {
  checkPlainObject("options", options);
  const { Bun } = globalThis as Runtime;
  if (Bun === undefined) throw new Error("listen() needs Bun; on Deno there is Deno.listen()");
  // `allowHalfOpen` cannot be had later. The handlers are replaced before anything can come.
  const native = Bun.listen({ ...target(options), tls: options.tls, allowHalfOpen: true, socket: { data() {} } });
  return new AcceptorListener(new BunAcceptor<BunAddr>(native));
}

function target(options: BunListenOptions | BunUnixListenOptions): object {
  const { transport } = options;
  if (transport === "unix") {
    rejectUnknownKeys("listen option", options, ["transport", "path", "tls"]);
    return { unix: options.path };
  }
  if (transport !== undefined && transport !== "tcp") {
    throw new TypeError(`transport must be "tcp" or "unix", got ${formatValue(transport)}`);
  }
  rejectUnknownKeys("listen option", options, ["transport", "hostname", "port", "tls"]);
  const { hostname = "0.0.0.0", port } = options;
  return { hostname, port };
}

interface Runtime {
  readonly Bun?: { listen(options: object): BunListenerLike };
}
