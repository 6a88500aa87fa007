/**
 * How long does an established client wait for an echo while a thousand connections in flight are refused?
 *
 * @module
 */

import { Server } from "./load.ts";
import type { Mode } from "./server.ts";

const IN_FLIGHT = 1_000;
const ECHOES = 1_000;

/** Milliseconds for each echo to an established client while a flood goes on. */
export async function measure(mode: Mode): Promise<number[]> {
  using server = await Server.start(mode);
  const path = new URL("flood.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--no-check", path, `${server.port}`, `${IN_FLIGHT}`, `${ECHOES}`];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").map(Number);
}
for (const mode of (Deno.args.length ? Deno.args : ["bare", "refuse", "admit"]) as Mode[]) {
  const t = (await measure(mode)).sort((a, b) => a - b);
  console.log(mode, "p50", t[500].toFixed(2), "p99", t[990].toFixed(2), "max", t[999].toFixed(2));
}
Deno.exit();
