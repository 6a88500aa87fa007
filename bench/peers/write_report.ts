/**
 * Writes the report and the charts.
 *
 * @module
 */

import { svgOf } from "./chart.ts";
import { growthChart } from "./growth_chart.ts";
import { markdown } from "./markdown.ts";
import { overviewChart } from "./overview_chart.ts";
import { RESULTS, type Results } from "./results.ts";

/** Writes everything that is made from the figures. */
export async function writeReport(results: Results): Promise<void> {
  if (Object.keys(results).length === 0) throw new Error("there are no results yet: run this without --draw");
  await write("peers.md", markdown(results));
  await write("peers.svg", await svgOf(overviewChart(results)));
  for (const { growths } of Object.values(results)) {
    for (const [name, growth] of Object.entries(growths)) {
      await write(`growth_${name}.svg`, await svgOf(growthChart(growth)));
    }
  }
}

async function write(name: string, text: string): Promise<void> {
  await Deno.writeTextFile(new URL(name, RESULTS), text);
  console.log(`written: bench/results/${name}`);
}
