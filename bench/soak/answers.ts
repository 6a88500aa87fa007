/**
 * The inner side of a program that does what it is told, a line at a time.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";

/** Does what the lines of standard input say, and prints for each a line with what came of it. Ends with its input. */
export function obey(commands: Readonly<Record<string, () => unknown>>): void {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", async (line) => console.log(JSON.stringify(await commands[line]!() ?? null)));
  lines.on("close", () => process.exit());
}
