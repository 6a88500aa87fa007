/**
 * How often a connection of Bun's is paused and resumed, which takes three calls of the system.
 *
 * @module
 */

import type { BunSocketLike } from "@connlimit/connlimit/bun";
import type { Conn } from "./limited.ts";

/** Counts the pauses and resumptions of a connection from now on. */
export function pausesOf(conn: Conn): () => number {
  let count = 0;
  const { withSocket } = conn as unknown as { withSocket(use: (socket: BunSocketLike) => void): void };
  withSocket.call(conn, (socket) => {
    for (const name of ["pause", "resume"] as const) {
      const method = socket[name];
      socket[name] = () => {
        count++;
        method.call(socket);
      };
    }
  });
  return () => count;
}
