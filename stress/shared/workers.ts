/**
 * Whether the workers of one process share a limit exactly through its memory, on the runtime that runs this.
 *
 *   deno task stress:workers --seconds 30
 *   bun stress/shared/workers.ts --seconds 30
 *
 * The exit code is 1 if a condition does not hold.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { startThread } from "../../tests/support/shared/ends.ts";
import { Sharers } from "../../tests/support/shared/sharers.ts";
import { exactness } from "../../tests/support/shared/trials.ts";
import { LEVELS } from "./levels.ts";

/** How much of a limit is to be used where there is demand for more. */
const USED = 0.9;

const { values } = parseArgs({ options: { seconds: { type: "string", default: "30" } } });
const seconds = Number(values.seconds);
if (!(seconds > 0)) throw new RangeError(`--seconds must be a positive number, got ${values.seconds}`);

let wrong = false;
{
  await using sharers = new Sharers(Object.keys(LEVELS));
  await sharers.start(4, startThread);
  for (const { name, max, most, used, left } of await exactness(sharers, 1_000 * seconds)) {
    console.log(`${name}: ${most} open at most of ${max}, ${(100 * used).toFixed(1)} % of it in use, ${left} left`);
    wrong ||= most > max || left > 0 || used < USED;
  }
}
process.exit(wrong ? 1 : 0);
