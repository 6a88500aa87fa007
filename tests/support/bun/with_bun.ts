/**
 * Programs of Bun's in processes of their own.
 *
 * @module
 */

import { Program } from "../../../testing/program.ts";
import { eventually, openSockets, within } from "../net.ts";

const ROOT = new URL("../../../", import.meta.url);

/** Runs Bun at the repository's root, until it has been used. */
export async function withBun<T>(args: readonly string[], use: (program: Program) => Promise<T>): Promise<T> {
  const before = openSockets();
  const program = new Program(process.execPath, args, { cwd: ROOT });
  try {
    return await use(program);
  } finally {
    program.kill("SIGKILL");
    await within(program.ended, "the process to end");
    // Its output comes by a socket, which the next test must not count.
    await eventually(() => openSockets() === before, "its output to be closed");
  }
}

/** Waits for the first line that a program prints. */
export async function firstLine(program: Program): Promise<string> {
  await eventually(() => program.output.includes("\n"), "the process to run");
  return program.output.split("\n")[0]!;
}
