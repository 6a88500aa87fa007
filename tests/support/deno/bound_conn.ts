/**
 * Connections of Deno's that hold slots, from both sides.
 *
 * @module
 */

import { assertStrictEquals } from "@std/assert";
import { type LimitedConn, Limiter, withSlot } from "@connlimit/connlimit";
import { pair } from "./deno_listeners.ts";
import { type Client, leavingNoSocket } from "../net.ts";

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
