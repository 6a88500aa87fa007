/**
 * What does a connection cost the server, in CPU time, against the bare loop?
 *
 * @module
 */

import { program, type Server } from "./load.ts";

const IN_FLIGHT = 64;
const WARM_UP = 400;
const WINDOW = 600;

/** Microseconds of the server's CPU time for each connection. */
export async function cpuPerConnection(server: Server): Promise<number> {
  const flood = program("flood.ts", [server.port, IN_FLIGHT, 0], { stdout: "null" }).spawn();
  await sleep(WARM_UP);
  const before = await server.read();
  await sleep(WINDOW);
  const after = await server.read();
  flood.kill("SIGKILL");
  await flood.status;
  return (after.cpu - before.cpu) / (after.served - before.served);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
