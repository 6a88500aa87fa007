/**
 * A hostile crowd against servers with limits, and against the same servers without.
 *
 *   deno task attack [--servers NAME,…] [--attacks NAME,…] [--modes NAME,…] [--seconds N]
 *
 * Ends with exit code 1 where a limited server has done what it must not. The whole set is written to
 * `bench/results/attack.md`. Linux only.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { type AttackName, ATTACKS } from "./attacks.ts";
import { faults, line, report, type Row } from "./report.ts";
import { strike } from "./round.ts";
import { SERVERS } from "./servers.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    servers: { type: "string" },
    attacks: { type: "string" },
    modes: { type: "string" },
    seconds: { type: "string", default: "1" },
  },
});

/** Those of the names that have been asked for. */
function chosen(option: "servers" | "attacks", names: readonly string[]): string[] {
  const wanted = values[option]?.split(",") ?? names;
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`--${option}: ${unknown} is none of ${names.join(", ")}`);
  return [...wanted];
}

const servers = chosen("servers", Object.keys(SERVERS));
const attacks = chosen("attacks", Object.keys(ATTACKS)) as AttackName[];
const seconds = Number(values.seconds);
const whole = values.servers === undefined && values.attacks === undefined && values.modes === undefined;

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
