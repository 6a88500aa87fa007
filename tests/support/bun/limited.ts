/**
 * Limited listeners of Bun, by kind.
 *
 * @module
 */

import { type LimitedConn, type LimitedListener, limitedListener } from "@connlimit/connlimit";
import { type BunConn, listen, type NetAddr } from "@connlimit/connlimit/bun";
import type { LimitedArgs } from "../makings.ts";
import { address, type Kind } from "./kinds.ts";

export type Conn = LimitedConn<BunConn>;

/** What `Bun.listen()` is told for a listener without handlers. */
export const onLoopback = { hostname: "127.0.0.1", port: 0, socket: { data(): void {} } };

/** A limited listener: over `listen()` for half-open connections, and else over a `Bun.listen()` as it is. */
export function limited(
  kind: Kind,
  ...args: LimitedArgs<BunConn>
): LimitedListener<BunConn, NetAddr> {
  const { allowHalfOpen, ...where } = address(kind);
  if (allowHalfOpen) return limitedListener(listen(where), ...args);
  return limitedListener(Bun.listen({ ...where, socket: { data() {} } }), ...args);
}
