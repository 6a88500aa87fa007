/**
 * What a server tells those who measure it, on any runtime.
 *
 * @module
 */

import process from "node:process";

/**
 * Prints the ports. For each line on standard input, prints how many connections were served and how many microseconds of
 * CPU time were used since the start; and ends the process with the input, so that it does not outlive who started it.
 */
export function tell(ports: readonly number[], served: () => number): void {
  console.log(ports.join(" "));
  process.stdin.on("data", () => {
    const { user, system } = process.cpuUsage();
    console.log(`${served()} ${user + system}`);
  });
  process.stdin.on("end", () => process.exit());
}
