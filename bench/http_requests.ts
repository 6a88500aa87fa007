/**
 * How many requests a second does a web server answer, of as many clients as `wrk` makes of one core?
 *
 * @module
 */

import type { Server } from "./load.ts";

const CONNECTIONS = 64;
const SECONDS = 1;

/** Requests a second, as `wrk` counts them. */
export async function requestsPerSecond({ port }: Server): Promise<number> {
  const args = ["--threads=1", `--connections=${CONNECTIONS}`, `--duration=${SECONDS}s`, `http://127.0.0.1:${port}/`];
  const { stdout } = await new Deno.Command("wrk", { args }).output().catch((cause) => {
    throw new Error("wrk is needed, which is in the packages of most systems", { cause });
  });
  return Number(/^Requests\/sec: +(\S+)$/m.exec(new TextDecoder().decode(stdout))![1]);
}
