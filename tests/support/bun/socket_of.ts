/**
 * The sockets under connections of Bun's.
 *
 * @module
 */

import type { BunSocketLike } from "@connlimit/connlimit/bun";
import { aWhile } from "../net.ts";
import type { Conn } from "./limited.ts";

/** The socket of a connection, which is private otherwise. */
export function socketOf(conn: Conn): BunSocketLike {
  let socket: BunSocketLike | undefined;
  (conn as unknown as { withSocket(use: (it: BunSocketLike) => void): void }).withSocket((it) => socket = it);
  return socket!;
}

/** Writes until neither Bun nor the kernel takes any more for a client that does not read. Resolves to the bytes taken. */
export async function stuff(conn: Conn): Promise<number> {
  const socket = socketOf(conn);
  const chunk = new Uint8Array(1 << 14);
  let total = 0;
  for (let before = -1; before !== total; await aWhile()) {
    before = total;
    for (let count; (count = socket.write(chunk)) > 0;) total += count;
  }
  return total;
}
