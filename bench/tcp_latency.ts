/**
 * How long does an established client wait for an echo while a thousand connections in flight are refused?
 *
 * @module
 */

import { outputOf, program, Server } from "./load.ts";
import type { Mode } from "./server.ts";

const IN_FLIGHT = 1_000;
const ECHOES = 1_000;

/** Milliseconds for each echo to an established client during a flood. */
export async function measure(mode: Mode): Promise<number[]> {
  using server = await Server.start("server.ts", mode);
  const output = await outputOf(program("flood.ts", [server.port, IN_FLIGHT, ECHOES]));
  return output.trim().split("\n").map(Number);
}
