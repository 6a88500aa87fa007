/**
 * How servers that echo treat a connection. Both sides tell it by the client's port, so the client knows what to expect.
 *
 * @module
 */

/** Most are echoed to the end. With the others the server is the first to leave, in one way or another. */
export type Behaviour = "echo" | "close" | "close later" | "cancel" | "abort" | "end";

const RUDE: readonly Behaviour[] = ["close", "close later", "cancel", "abort", "end"];

/** One in eight is not echoed. */
export function behaviourOf(port: number): Behaviour {
  // The low bits are taken, since systems give clients even ports first.
  const number = port >> 1;
  return number % 8 !== 0 ? "echo" : RUDE[(number >> 3) % RUDE.length]!;
}
