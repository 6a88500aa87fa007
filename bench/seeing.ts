/**
 * What do a ranking of refused clients, a log of refusals and an open page cost, compared with nobody watching?
 *
 * @module
 */

import type { RuntimeName } from "../testing/runtimes.ts";
import { Child } from "./lib/child.ts";
import type { LoadGenerator } from "./lib/load_generator.ts";
import { alternating } from "./lib/rounds.ts";
import { printRatio } from "./lib/rows.ts";
import { cpuEach, type Fate, FATES, flood, Server, watchedServer, type Way } from "./lib/servers.ts";
import { quantile } from "./lib/statistics.ts";
import type { SeeingTimes } from "./micro/seeing_program.ts";

/** Many short windows in turns. An established client has bytes echoed meanwhile, which costs both the same. */
const WINDOW = { inFlight: 64, echoes: true, warmUp: 50, window: 250 } as const;
const WARM_UP = 4;
const PASSES = 4;

/** A page tells its viewers something every two seconds. A window in which nothing is told does not show its cost. */
const PAGE_WINDOW = { ...WINDOW, window: 2_000 };
const PAGE_WARM_UP = 1;
const PAGE_PASSES = 2;

const SERVERS = [["Deno", "accept loop"], ["Bun", "callbacks"], ["Node", "node:net"]] as const;

/** In process, and with real connections on each runtime. */
export async function benchSeeing(load: LoadGenerator, rounds: number): Promise<void> {
  const times: SeeingTimes[] = [];
  for (let round = 0; round < Math.ceil(rounds / 2); round++) {
    times.push(await Child.result<SeeingTimes>(new URL("micro/seeing_program.ts", import.meta.url), []));
  }
  const compare = (who: string, of: "one" | "many" | "new", atMost: number) =>
    printRatio(
      `refusal of ${who}, ranked and logged`,
      times.map((time) => time[`${of}, watched`]),
      times.map((time) => time[of]),
      "ns",
      { atMost },
    );
  compare("one client", "one", 2);
  compare("1,000 clients", "many", 2);
  compare("10,000 clients", "new", 10);
  for (const [runtime, way] of SERVERS) await benchServer(load, runtime, way, rounds);
  for (const [runtime, way] of SERVERS) {
    for (const fate of ["admitted", "refused"] as const) await benchPage(load, runtime, way, fate, rounds);
  }
}

type Mode = "limited" | "watched";
const MODES = ["limited", "watched"] as const;

/** Both are served by one process: two runs of one program can differ by more than what is looked for. */
async function benchServer(load: LoadGenerator, runtime: RuntimeName, way: Way, rounds: number): Promise<void> {
  const cpu: Record<Mode, number[]> = { limited: [], watched: [] };
  const echoes: Record<Mode, number[]> = { limited: [], watched: [] };
  using server = await Server.start(watchedServer(runtime, way, FATES.refused.maxPerClient, "log"));
  const [limited, kept, watched, keptToo] = server.ports as unknown as readonly number[];
  const { pid } = server;
  const sides = {
    limited: { ports: [limited!, kept!], pid },
    watched: { ports: [watched!, keptToo!], pid },
  } as const;
  for (let round = -WARM_UP; round < PASSES * rounds; round++) {
    for (const mode of alternating(MODES, round)) {
      const seen = await flood(load, sides[mode], "refused", WINDOW);
      if (round < 0) continue;
      cpu[mode].push(cpuEach(seen));
      echoes[mode].push(...seen.echoes);
    }
  }
  printRatio(`${runtime}, CPU per refused connection, ranked, logged`, cpu.watched, cpu.limited, "µs", {
    atMost: 1.03,
  });
  printP99(runtime, echoes);
}

/** How long an established client waits for its echo. */
function printP99(runtime: RuntimeName, echoes: Readonly<Record<Mode, readonly number[]>>): void {
  const p99 = (mode: Mode) => [quantile([...echoes[mode]], 0.99)];
  printRatio(`${runtime}, echo p99 meanwhile`, p99("watched"), p99("limited"), "ms", { atMost: 1.1 });
}

/** The viewers of the page. */
const VIEWERS = 10;

/** A page with viewers, compared with one that nobody looks at, at the same server. */
async function benchPage(
  load: LoadGenerator,
  runtime: RuntimeName,
  way: Way,
  fate: Fate,
  rounds: number,
): Promise<void> {
  const cpu: Record<Mode, number[]> = { limited: [], watched: [] };
  const echoes: Record<Mode, number[]> = { limited: [], watched: [] };
  using server = await Server.start(watchedServer(runtime, way, FATES[fate].maxPerClient, "page"));
  const [limited, kept, watched, keptToo, page] = server.ports as unknown as readonly number[];
  const sides = { limited: [limited!, kept!], watched: [watched!, keptToo!] } as const;
  let [seen, windows] = [0, 0];
  for (let round = -PAGE_WARM_UP; round < PAGE_PASSES * rounds; round++) {
    for (const mode of alternating(MODES, round)) {
      const viewers = mode === "watched" ? await Viewers.open(page!) : undefined;
      const observation = await flood(load, { ports: sides[mode], pid: server.pid }, fate, PAGE_WINDOW);
      const got = await viewers?.close() ?? 0;
      if (round < 0) continue;
      seen += got;
      windows++;
      cpu[mode].push(cpuEach(observation));
      echoes[mode].push(...observation.echoes);
    }
  }
  const messages = (seen / VIEWERS / windows * 2).toFixed(1);
  printRatio(`${runtime}, CPU per ${fate} connection, page open`, cpu.watched, cpu.limited, "µs", {
    atMost: 1.02,
  }, `, ${VIEWERS} viewers, ${messages} messages each a window`);
  printP99(runtime, echoes);
}

/** Those who look at the page. */
class Viewers {
  readonly #abort: AbortController;
  readonly #reading: readonly Promise<number>[];

  private constructor(abort: AbortController, reading: readonly Promise<number>[]) {
    this.#abort = abort;
    this.#reading = reading;
  }

  static async open(port: number): Promise<Viewers> {
    const abort = new AbortController();
    const responses = await Promise.all(
      Array.from({ length: VIEWERS }, () => fetch(`http://127.0.0.1:${port}/events`, { signal: abort.signal })),
    );
    return new Viewers(abort, responses.map(count));
  }

  /** Lets them go. Resolves to the number of messages that they have got. */
  async close(): Promise<number> {
    this.#abort.abort();
    return (await Promise.all(this.#reading)).reduce((sum, count) => sum + count);
  }
}

async function count({ body }: Response): Promise<number> {
  let count = 0;
  try {
    for await (const _ of body!) count++;
  } catch {
    // Aborted.
  }
  return count;
}
