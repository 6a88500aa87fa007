/**
 * The model of a shared limit, by a million random schedules: the real code, with network, store and time simulated.
 *
 *   deno task stress:shared-model
 *   deno task stress:shared-model --schedules 100000 --from 500000
 *
 * Each schedule has a number, so that one that fails can be run again. The exit code is 1 if one fails.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { RandomChooser } from "../../tests/support/model/chooser.ts";
import { SETUPS } from "../../tests/support/model/setups.ts";
import { SharedModel } from "../../tests/support/model/shared_model.ts";

/** The most failures that are printed. */
const MOST = 5;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    schedules: { type: "string", default: "1000000" },
    from: { type: "string", default: "0" },
  },
});
const [schedules, from] = [Number(values.schedules), Number(values.from)];
if (!(schedules > 0 && from >= 0)) {
  console.error("--schedules must be a positive number, and --from a number");
  Deno.exit(2);
}

const setups = Object.entries(SETUPS);
const start = performance.now();
let failed = 0;
for (let i = 0; i < schedules && failed < MOST; i++) {
  const [name, setup] = setups[i % setups.length]!;
  const seed = from + Math.floor(i / setups.length);
  try {
    await new SharedModel(setup, new RandomChooser(seed)).run();
  } catch (error) {
    failed++;
    console.error(`${name}, schedule ${seed}: ${(error as Error).message}`);
  }
  if ((i + 1) % 50_000 === 0) report(i + 1);
}
report(schedules);
Deno.exit(failed > 0 ? 1 : 0);

function report(done: number): void {
  const seconds = (performance.now() - start) / 1_000;
  console.log(`${done} schedules, ${failed} failed, ${seconds.toFixed(0)} s`);
}
