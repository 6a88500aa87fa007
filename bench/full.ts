/**
 * What does `whenFull: "evict"` cost a server, compared with the same server that refuses: while there is room, and while a
 * flood comes to a full one whose hog loses as many connections as the budget lets it?
 *
 * @module
 */

import type { RuntimeName } from "../testing/runtimes.ts";
import type { LoadGenerator } from "./lib/load_generator.ts";
import { measureInRounds } from "./lib/rounds.ts";
import { printRatio } from "./lib/rows.ts";
import { cpuEach, flood, Server } from "./lib/servers.ts";
import { SOURCES } from "./lib/socket_load.ts";

const WINDOW = { inFlight: 64, warmUp: 300, window: 500 } as const;
const MODES = ["evict", "refuse"] as const;
const WAYS: readonly (readonly [RuntimeName, string])[] = [
  ["Deno", "accept loop"],
  ["Bun", "accept loop"],
  ["Deno", "node:net"],
  ["Bun", "node:net"],
  ["Node", "node:net"],
];
/** How many connections the hog has. */
const HOGGED = 50;

/** Measures all of it. */
export async function benchFull(load: LoadGenerator, rounds: number): Promise<void> {
  for (const [runtime, way] of WAYS) {
    for (const full of [false, true]) {
      // The clients of the flood hold a connection each.
      const args = full ? [SOURCES + HOGGED, HOGGED] : [1_000_000, 0];
      const seen = await measureInRounds(
        (mode) => Server.start({ file: "filled.ts", runtime, args: [way, mode, ...args] }),
        MODES,
        rounds,
        async (server) => cpuEach(await flood(load, server, full ? "refused" : "admitted", WINDOW)),
      );
      const work = `evict, ${full ? "full, with a flood" : "not full"}, ${runtime} ${way}`;
      printRatio(work, seen.evict, seen.refuse, "µs", { atMost: full ? 1.5 : 1.2 });
    }
  }
}
