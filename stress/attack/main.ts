/**
 * A hostile crowd against servers with limits, and against the same servers without.
 *
 *   deno task attack [--only SERVER,…] [--attacks NAME,…] [--modes NAME,…] [--seconds N]
 *
 * The exit code is 1 if a limited server has done what it must not. The report of the whole set is written to
 * `stress/results/attack.md`. Linux only.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { type AttackName, ATTACKS } from "./attacks.ts";
import type { Row } from "./judge.ts";
import { faults, line, report } from "./report.ts";
import { strike } from "./round.ts";
import { SERVERS } from "./targets.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string" },
    attacks: { type: "string" },
    modes: { type: "string" },
    seconds: { type: "string", default: "1" },
  },
});

/** Those of the names that have been asked for. */
function chosen(option: "only" | "attacks", names: readonly string[]): string[] {
  const wanted = values[option]?.split(",") ?? names;
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`--${option}: ${unknown} is none of ${names.join(", ")}`);
  return [...wanted];
}

const servers = chosen("only", Object.keys(SERVERS));
const attacks = chosen("attacks", Object.keys(ATTACKS)) as AttackName[];
const seconds = Number(values.seconds);
const whole = values.only === undefined && values.attacks === undefined && values.modes === undefined;

const rows: Row[] = [];
const wrong: string[] = [];
for (const server of servers) {
  const kind = SERVERS[server]!;
  for (const attack of attacks) {
    for (const mode of kind.modes) {
      if (values.modes !== undefined && !values.modes.split(",").includes(mode)) continue;
      const row: Row = { server, mode, attack, outcome: await strike(kind, mode, attack, seconds) };
      rows.push(row);
      console.log(line(row));
      wrong.push(...faults(row).map((fault) => `${server}, ${mode}, ${attack}: ${fault}`));
    }
  }
}

const text = await report(rows, seconds);
if (whole) await Deno.writeTextFile(new URL("../results/attack.md", import.meta.url), text);
console.log(`\n${text}`);
for (const fault of wrong) console.error(`must not be: ${fault}`);
Deno.exit(wrong.length === 0 ? 0 : 1);
