/**
 * Limits for Bun's listeners.
 *
 * Servers that are written with callbacks take {@linkcode limitSocketHandler}. For an accept loop,
 * `limitedListener(Bun.listen(…))` from the package's root will do; {@linkcode listen} makes a listener for it that suits it
 * better, and that a program can have in common with Deno.
 *
 * ```ts ignore
 * import { limitSocketHandler } from "@connlimit/connlimit/bun";
 *
 * Bun.listen({
 *   hostname: "0.0.0.0",
 *   port: 7000,
 *   socket: limitSocketHandler({ maxPerClient: 10 }, {
 *     data: (socket, data) => void socket.write(data),
 *   }),
 * });
 * ```
 *
 * @module
 */

export type { ErrorHook, RefusalHooks } from "../admission/hooks.ts";
export { type LimitedSocketHandler, limitSocketHandler, type SocketOf } from "./limit_socket_handler.ts";
export { type BunListener, type BunListenOptions, type BunUnixListenOptions, listen } from "./listen.ts";
export type { BunListenerBase, BunListenerLike, BunSocketLike, BunUnixListenerLike, SocketHandlers } from "./native.ts";
export type { BunAddr, BunConn, NetAddr, UnixAddr } from "./socket_conn.ts";
