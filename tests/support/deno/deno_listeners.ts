/**
 * Deno's own connections and child processes, for the tests that are Deno's alone.
 *
 * @module
 */

import {
  type LimitedListener,
  limitedListener,
  type LimitedListenerOptions,
  type Limiter,
  type LimitsOptions,
} from "@connlimit/connlimit";
import { type Client, connectFrom } from "../net.ts";
import type { Lack } from "../platform.ts";

/** A test that is skipped where something is lacking. Its name then says what. */
export function testUnless(lack: Lack, name: string, run: () => Promise<void>): void {
  Deno.test(lack ? `${name} (skipped: ${lack})` : name, { ignore: lack !== false }, run);
}

/** A listener at a port that the system chooses. */
export const tcp = (): Deno.TcpListener => Deno.listen({ hostname: "0.0.0.0", port: 0 });

/** The same with limits. */
export function listen(
  limits?: LimitsOptions | Limiter,
  options?: LimitedListenerOptions<Deno.TcpConn>,
): LimitedListener<Deno.TcpConn, Deno.NetAddr> {
  return limitedListener(tcp(), limits, options);
}

/** A client and the connection that Deno has accepted from it. */
export async function pair(): Promise<[Client, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return await Promise.all([connectFrom("127.0.0.1", listener.addr.port), listener.accept()]);
}

/**
 * Whether a TCP connection's descriptor is still Deno's; asked through a method that fails with `BadResource` once it is
 * not. (With a write under way it fails too, in another way.)
 */
export function isOpen(conn: Deno.Conn): boolean {
  try {
    (conn as Deno.TcpConn).setNoDelay(true);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.BadResource);
  }
}

/** Ends a process that may have ended by itself. */
export function kill(child: Deno.ChildProcess, signal?: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has.
  }
}
