/**
 * Bounds how many connections one client may hold open.
 *
 * {@linkcode limitedListener} wraps a listener of Deno's or Bun's and yields only the connections that are admitted, each
 * with a slot that is given back when the connection is closed:
 *
 * ```ts ignore
 * import { limitedListener } from "@connlimit/connlimit";
 *
 * for await (const conn of limitedListener(Deno.listen({ port: 7000 }), { maxPerClient: 10 })) {
 *   conn.readable.pipeTo(conn.writable).catch(() => {});
 * }
 * ```
 *
 * Other servers have entry points of their own:
 *
 * | entry point | for                                                                               |
 * | ----------- | --------------------------------------------------------------------------------- |
 * | `./bun`     | `Bun.listen()` with callbacks, and a listener for Bun in the shape of Deno's       |
 * | `./node`    | `node:net`, `tls`, `http`, `https` and `http2`, on Node, Deno and Bun               |
 * | `./http`    | requests in flight and WebSockets of `Deno.serve()` and `Bun.serve()`               |
 *
 * {@linkcode Limiter} is what counts, for accept loops of your own and for whatever else can be held open:
 *
 * ```ts
 * import { Limiter } from "@connlimit/connlimit";
 * import { assertEquals } from "@std/assert";
 *
 * const limiter = new Limiter({ maxPerClient: 10 });
 * {
 *   using slot = limiter.accept("2001:db8::1"); // throws LimitReachedError when refused
 *   assertEquals(slot.client, "2001:db8::/64");
 *   assertEquals(limiter.openFor("2001:db8::2"), 1);
 * }
 * assertEquals(limiter.open, 0);
 * ```
 *
 * @module
 */

export type { BunAddr, BunConn, NetAddr, UnixAddr } from "./src/bun/conn.ts";
export type { BunListenerLike, BunUnixListenerLike, NativeListener } from "./src/bun/native.ts";
export { type ConnLike, type LimitedConn, withSlot } from "./src/conn.ts";
export { LimitReachedError } from "./src/errors.ts";
export type { ErrorHook, RefusalHooks } from "./src/hooks.ts";
export { type ClientCount, Limiter, type LimiterStats } from "./src/limiter.ts";
export type { AggregateOptions, Limits, LimitsOptions } from "./src/limits.ts";
export {
  type LimitedListener,
  limitedListener,
  type ListenerLike,
  type ListenerOptions,
  type ShutdownOptions,
} from "./src/listener.ts";
export type { NetworkRule } from "./src/network_table.ts";
export type { Peer, RemoteAddr } from "./src/peer.ts";
export type { Refusal, RefusalReason, Slot } from "./src/slot.ts";
