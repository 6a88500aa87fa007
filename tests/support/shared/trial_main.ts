/**
 * Runs one trial in a process of its own.
 *
 * @module
 */

import process from "node:process";
import { TRIALS } from "./trials.ts";

const [name, ...args] = process.argv.slice(2);
process.send!(await TRIALS[name as "ended"](...args as [string]));
