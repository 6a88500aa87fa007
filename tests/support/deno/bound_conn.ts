/**
 * Connections of Deno, from both sides: as it accepts them, and with slots.
 *
 * @module
 */

import { assertStrictEquals } from "@std/assert";
import { type LimitedConn, Limiter, withSlot } from "@connlimit/connlimit";
import { type Client, leavingNoSocket } from "../net.ts";
import { connectFrom } from "../net.ts";

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

export type Conn = LimitedConn<Deno.TcpConn>;

/** An admitted connection with its client, and a check that nothing of them is left. */
export function withPair(use: (conn: Conn, client: Client, limiter: Limiter) => unknown): Promise<void> {
  return leavingNoSocket(async () => {
    const limiter = new Limiter();
    {
      const [client, accepted] = await pair();
      using _ = client;
      using conn = withSlot(accepted, limiter.accept(accepted));
      assertStrictEquals(conn, accepted);
      await use(conn, client, limiter);
    }
    assertStrictEquals(limiter.open, 0);
  })();
}
