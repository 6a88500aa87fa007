/**
 * What do connections cost that are admitted, and that are refused, and how does an established client fare meanwhile?
 *
 * Where connections are to be refused, everybody may hold one, and those that flood the server already do. Servers without
 * limits close the flood's connections at once, as those with limits do with the admitted ones.
 *
 * @module
 */

import { measureInRounds } from "../lib/rounds.ts";
import { median, medianRatio, quantile } from "../lib/statistics.ts";
import { type Fate, FATES } from "../lib/servers.ts";
import type { Figure } from "./figures.ts";
import { LoadGenerator, type Observation, type Phase } from "../lib/load_generator.ts";
import { installedProxies, NODE_SOCKETS, OWN_SOCKETS, type Running, type Subject } from "./socket_subjects.ts";

/** In flight where CPU time is measured, and where the established client's echoes are. */
const FEW = 64;
const MANY = 1_000;

/** The observations of a subject in a round: with few connections in flight, and with many. */
type Round = readonly [few: Observation, many: Observation];

/** What is told of a round. */
interface Measure {
  readonly work: (fate: Fate) => string;
  readonly unit: string;
  readonly of: (round: Round) => number;
}

const MEASURES: readonly Measure[] = [
  { work: (fate) => `CPU per ${fate} connection`, unit: "µs", of: ([few]) => sum(few.cpu) / few.done },
  {
    work: (fate) => `connections per second, ${fate}`,
    unit: "1/s",
    of: ([few]) => few.done / few.milliseconds * 1_000,
  },
  {
    // Below 1 the flood was not enough for it, and it would have served more connections per second.
    work: (fate) => `cores used meanwhile, ${fate}`,
    unit: "cores",
    of: ([few]) => sum(few.cpu) / few.milliseconds / 1_000,
  },
  {
    work: (fate) => `established client's echo, p50, 1,000 ${fate}`,
    unit: "ms",
    of: ([, many]) => median(many.echoes),
  },
  {
    work: (fate) => `established client's echo, p99, 1,000 ${fate}`,
    unit: "ms",
    of: ([, many]) => quantile(many.echoes, 0.99),
  },
];

/** Measures all subjects next to each other, in rounds. */
export async function measureSockets(quick: boolean): Promise<Figure[]> {
  const subjects = [...OWN_SOCKETS, ...await installedProxies(), ...NODE_SOCKETS];
  const figures: Figure[] = [];
  using load = await LoadGenerator.start();
  for (const fate of Object.keys(FATES) as Fate[]) figures.push(...await measureFate(load, fate, subjects, quick));
  return figures;
}

async function measureFate(
  load: LoadGenerator,
  fate: Fate,
  subjects: readonly Subject[],
  quick: boolean,
): Promise<Figure[]> {
  const { maxPerClient } = FATES[fate];
  const byName = new Map(subjects.map((subject) => [subject.by, subject]));
  const rounds: Record<string, Round[]> = await measureInRounds(
    async (by) => {
      const { limits, start } = byName.get(by)!;
      const running = await start(maxPerClient);
      return Object.assign(running, { passes: fate === "admitted" || !limits });
    },
    [...byName.keys()],
    quick ? 1 : 3,
    (running, round) => measureOnce(load, running, running.passes, FATES[fate].held, quick || round < 0 ? 0.25 : 1),
    quick ? 0 : 1,
  );
  return MEASURES.flatMap(({ work, unit, of }) =>
    subjects.map(({ by, reference }) => {
      const [values, references] = [rounds[by]!.map(of), rounds[reference]!.map(of)];
      return { work: work(fate), by, unit, value: median(values), ratio: medianRatio(values, references) };
    })
  ).concat(proxiesParts(fate, subjects, rounds));
}

/** Of those that are two processes, what the one in front takes alone. */
function proxiesParts(fate: Fate, subjects: readonly Subject[], rounds: Record<string, Round[]>): Figure[] {
  const proxied = subjects.filter(({ by }) => rounds[by]![0]![0].cpu.length > 1);
  return proxied.map(({ by, reference }) => {
    const values = rounds[by]!.map(([few]) => few.cpu[0]! / few.done);
    const references = rounds[reference]!.map(MEASURES[0]!.of);
    const work = MEASURES[0]!.work(fate);
    return { work, by: `${by}: its part`, unit: "µs", value: median(values), ratio: medianRatio(values, references) };
  });
}

/** @param passes Whether the flood's connections are to come through, all of them or none. */
async function measureOnce(
  load: LoadGenerator,
  subject: Running,
  passes: boolean,
  held: number,
  share: number,
): Promise<Round> {
  const { ports, pids } = subject;
  const phase: Phase = { held, inFlight: FEW, echoes: false, warmUp: 250 * share, window: 350 * share };
  const phases = [phase, { ...phase, inFlight: MANY, echoes: true, window: 500 * share }];
  const before = await subject.served();
  const plan = { of: "connections", ports, pids, floodersHold: true, phases } as const;
  const [few, many] = await load.observe(plan) as [Observation, Observation];
  const served = await subject.served() - before;
  // When the load ends, the clients' own connections end as well, and a last few come through.
  if (passes ? served < few.done + many.done : served > MANY) {
    throw new Error(`${served} connections came through, of ${few.done + many.done} and more`);
  }
  return [few, many];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
