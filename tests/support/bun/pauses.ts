/**
 * How often a connection of Bun's is paused and resumed, which takes three calls of the system.
 *
 * @module
 */

import type { Conn } from "./limited.ts";
import { socketOf } from "./socket_of.ts";

/** Counts the pauses and resumptions of a connection from now on. */
export function pausesOf(conn: Conn): () => number {
  let count = 0;
  const socket = socketOf(conn);
  for (const name of ["pause", "resume"] as const) {
    const method = socket[name];
    socket[name] = () => {
      count++;
      method.call(socket);
    };
  }
  return () => count;
}
