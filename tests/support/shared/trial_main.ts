/**
 * Runs one trial in a process of its own.
 *
 * @module
 */

import process from "node:process";
import { TRIALS } from "./trials.ts";

process.send!(await TRIALS[process.argv[2] as keyof typeof TRIALS]());
