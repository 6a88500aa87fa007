/**
 * Connections of a limited listener on Bun, from both sides.
 *
 * @module
 */

import { Limiter } from "@connlimit/connlimit";
import { type Client, eventually, leavingNoSocket } from "../net.ts";
import { findSockets } from "../platform.ts";
import { connect, type Kind } from "./kinds.ts";
import { type Conn, limited } from "./limited.ts";
import { type IsOpen, served } from "./test_sockets.ts";

/** Both sides. */
export interface Pair {
  readonly conn: Conn;
  readonly client: Client;
  readonly limiter: Limiter;
  /** Whether the server's descriptor is open. */
  readonly isOpen: IsOpen;
}

/** An admitted connection with its client, and a check that nothing of them is left. */
export function withPair(kind: Kind, use: (pair: Pair) => unknown, connectAs: typeof connect = connect): Promise<void> {
  return leavingNoSocket(async () => {
    const limiter = new Limiter();
    {
      using listener = limited(kind, limiter);
      const others = findSockets();
      const [client, accepted] = await Promise.all([connectAs(kind, listener.addr.port), listener.accept()]);
      using _ = client;
      using conn = accepted;
      await use({ conn, client, limiter, isOpen: served(others, client) });
    }
    await eventually(() => limiter.open === 0, "the slot to be free");
  })();
}
