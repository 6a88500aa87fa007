/**
 * This library beside what one would take in its place, as figures, a report and charts.
 *
 *   deno task bench:peers [--quick] [--write] [SECTION ...]
 *   deno task bench:peers --draw
 *
 * Sections are `counting`, `growth`, `sockets` and `connections`; all where none is named. What is quick or not whole is
 * written only when told to, beside what has been kept of the other sections. `--draw` makes the report and the charts
 * anew from the figures that are kept. Linux only; some eight minutes.
 *
 * @module
 */

import { describe } from "../lib/machine.ts";
import { machineWithPeers } from "./versions.ts";
import type { Figure, Growth } from "./figures.ts";
import { readResults, type Results, type Section, type SectionName, SECTIONS, writeResults } from "./results.ts";
import { proxyLacks } from "./socket_subjects.ts";
import { showFigure, showNumber } from "./text.ts";
import { writeReport } from "./write_report.ts";

type Measured = Pick<Section, "figures" | "growths">;

/** What is measured, each with what it takes loaded for it alone. */
const MEASURE: Readonly<Record<SectionName, (quick: boolean) => Promise<Measured>>> = {
  async counting(quick) {
    const { measureCounting } = await import("./counting.ts");
    const { figures, growth } = await measureCounting(quick);
    return { figures, growths: { clients: growth } };
  },
  async growth(quick) {
    const { measureGrowth } = await import("./growth.ts");
    return { figures: [], growths: await measureGrowth(quick) };
  },
  async sockets(quick) {
    const { measureSockets } = await import("./sockets.ts");
    return { figures: await measureSockets(quick), growths: {} };
  },
  async connections(quick) {
    const { measureOpenConnections } = await import("./open_connections.ts");
    return { figures: [], growths: { open_connections: await measureOpenConnections(quick) } };
  },
};

const flags = new Set(Deno.args.filter((arg) => arg.startsWith("--")));
const unknown = Deno.args.filter((arg) => !["--quick", "--write", "--draw", ...SECTIONS].includes(arg));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(" ")}; sections are ${SECTIONS.join(", ")}`);
  Deno.exit(2);
}

if (flags.has("--draw")) {
  await writeReport(await readResults());
} else {
  const chosen = SECTIONS.filter((name) => Deno.args.includes(name));
  const whole = chosen.length === 0 && !flags.has("--quick");
  const results = await measure(chosen.length === 0 ? SECTIONS : chosen, flags.has("--quick"));
  if (whole || flags.has("--write")) {
    await writeResults({ ...await readResults(), ...results });
    await writeReport(await readResults());
  }
}
Deno.exit();

async function measure(names: readonly SectionName[], quick: boolean): Promise<Results> {
  const machine = await machineWithPeers();
  console.log(`${describe(machine)} Figures are medians, and indicative.`);
  for (const [name, lack] of Object.entries(names.includes("sockets") ? await proxyLacks() : {})) {
    console.log(`The rows of ${name} are skipped: ${lack}.`);
  }
  const results: Partial<Record<SectionName, Section>> = {};
  for (const name of names) {
    const start = performance.now();
    const { figures, growths } = await MEASURE[name](quick);
    results[name] = { machine, figures, growths };
    console.log(`\n${name}, measured in ${((performance.now() - start) / 1_000).toFixed(0)} s\n`);
    figures.forEach(printFigure);
    Object.values(growths).forEach(printGrowth);
  }
  return results;
}

function printFigure(figure: Figure): void {
  console.log(`${figure.work.padEnd(66)} ${figure.by.padEnd(36)} ${showFigure(figure)}`);
}

function printGrowth({ title, x, y, series }: Growth): void {
  console.log(`\n${title}: ${y}, by ${x}`);
  for (const [name, points] of Object.entries(series)) {
    const cells = points.map(([x, y]) => `${showNumber(x)}: ${showNumber(y)}`.padEnd(20));
    console.log(`  ${name.padEnd(34)} ${cells.join("")}`);
  }
}
