/**
 * The child's side of the line protocol between a benchmark and its child processes, on every runtime.
 *
 * Every line is JSON. A child first prints one line about itself. After that, the parent writes `[NAME, ...ARGUMENTS]`, and
 * the child prints one line with the command's result. Results come in the order of the commands.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";

/** What a child can be asked, by name. */
// deno-lint-ignore no-explicit-any
export type Commands = Readonly<Record<string, (...args: any[]) => unknown>>;

/** Prints a line of the protocol. */
export function printLine(value: unknown): void {
  console.log(JSON.stringify(value ?? null));
}

/** Parses a line from the parent, runs the command, and prints the result. */
export async function runCommand(commands: Commands, line: string): Promise<void> {
  const [name, ...args] = JSON.parse(line);
  printLine(await commands[name]!(...args));
}

/**
 * Prints the first line, and serves commands from then on.
 *
 * @param onEnd Runs when the parent closes the input or dies. By default the child exits, so that it never outlives it.
 */
export function serveCommands(hello: unknown, commands: Commands = {}, onEnd: () => void = () => process.exit()): void {
  let last: Promise<void> = Promise.resolve();
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => last = last.then(() => runCommand(commands, line)));
  lines.on("close", onEnd);
  printLine(hello);
}
