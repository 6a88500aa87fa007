/**
 * A model of a shared limit: the real code, with the network, the store and the time simulated. `deno task
 * stress:shared-model` has a million schedules.
 *
 * @module
 */

import { test } from "node:test";
import { RandomChooser } from "../support/model/chooser.ts";
import { SETUPS } from "../support/model/setups.ts";
import { SharedModel } from "../support/model/shared_model.ts";

/** So many of each, the same ones each time. */
const SCHEDULES = 10;

for (const [name, setup] of Object.entries(SETUPS)) {
  test(`a shared limit is exact and heals in ${SCHEDULES} random schedules: ${name}`, async () => {
    for (let seed = 0; seed < SCHEDULES; seed++) await new SharedModel(setup, new RandomChooser(seed)).run();
  });
}
