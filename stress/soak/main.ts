/**
 * A soak: random mixed traffic at the limit, for minutes or hours, on all runtimes at once.
 *
 *   deno task soak
 *   deno task soak --minutes 60 --seed 7
 *   deno task soak --minutes 2 --runtimes Bun --bare
 *
 * Prints a line a minute for each runtime, then the report. A whole soak also writes it to `stress/results/soak.md`: one of
 * ten minutes or more, on all runtimes, and not of servers without limits (`--bare`). The exit code is 1 if a condition
 * does not hold.
 *
 * @module
 */

import { parseArgs } from "node:util";
import type { RuntimeName } from "../../testing/runtimes.ts";
import { reportOf } from "./report.ts";
import { type Minute, soak, type SoakOptions } from "./soak.ts";
import { judge, megabytes, seconds } from "./verdicts.ts";

const ALL = ["Deno", "Bun", "Node"] as const;
/** Minutes. The report of a shorter soak is printed only. */
const WHOLE = 10;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    minutes: { type: "string", default: `${WHOLE}` },
    seed: { type: "string", default: `${Date.now() % 1_000_000}` },
    rate: { type: "string", default: "100" },
    runtimes: { type: "string", default: ALL.join() },
    bare: { type: "boolean", default: false },
  },
});
const options: SoakOptions = {
  minutes: positive("minutes"),
  seed: positive("seed"),
  rate: positive("rate"),
  bare: values.bare,
};
const runtimes = values.runtimes.split(",").map(runtimeOf);

console.log(`Seed ${options.seed}; ${runtimes.join(", ")}; ${options.minutes} minutes.\n`);
const soaks = await Promise.all(
  runtimes.map((runtime) => soak(runtime, options, (minute) => console.log(lineOf(runtime, minute)))),
);
const report = await reportOf(soaks);
console.log(`\n${report}`);
if (!options.bare && runtimes.length === ALL.length && options.minutes >= WHOLE) {
  const folder = new URL("../results/", import.meta.url);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(new URL("soak.md", folder), report);
}
const failed = soaks.flatMap((soaked) => judge(soaked)).some(({ holds }) => holds === false);
Deno.exit(failed ? 1 : 0);

function positive(name: "minutes" | "seed" | "rate"): number {
  const number = Number(values[name]);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new RangeError(`--${name} must be a positive number, got ${values[name]}`);
}

function runtimeOf(name: string): RuntimeName {
  const runtime = ALL.find((known) => known.toLowerCase() === name.toLowerCase());
  if (runtime === undefined) throw new TypeError(`--runtimes must be some of ${ALL.join()}, got ${name}`);
  return runtime;
}

function lineOf(runtime: RuntimeName, { minute, memory, rested, open }: Minute): string {
  const left = Object.entries(open).map(([name, count]) => `, ${count} LEFT OPEN at ${name}`).join("");
  return `${runtime.padEnd(4)} minute ${minute}: ${megabytes(memory.rss)} MB resident, ` +
    `${megabytes(memory.heap)} MB of heap, at rest after ${seconds(rested)}${left}`;
}
