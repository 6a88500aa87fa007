/**
 * Listeners of Deno, as they are and limited.
 *
 * @module
 */

import { type LimitedListener, limitedListener } from "@connlimit/connlimit";
import type { LimitedArgs } from "../makings.ts";

/** A listener at a port that the system chooses. */
export const tcp = (): Deno.TcpListener => Deno.listen({ hostname: "0.0.0.0", port: 0 });

/** The same with limits. */
export function listen(
  ...args: LimitedArgs<Deno.TcpConn>
): LimitedListener<Deno.TcpConn, Deno.NetAddr> {
  return limitedListener(tcp(), ...args);
}
