/**
 * Programs of Bun's in processes of their own.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { eventually, openSockets, within } from "../net.ts";

const ROOT = new URL("../../../", import.meta.url);

/** A program of Bun's in a process of its own. */
export interface Program {
  readonly pid: number;
  /** What it prints first. */
  readonly started: Promise<string>;
  /** What else it prints until it ends. */
  readonly output: Promise<string>;
  readonly exited: Promise<number | null>;
  end(): void;
}

/** Runs Bun at the repository's root, until it has been used. */
export async function withBun<T>(args: readonly string[], use: (program: Program) => Promise<T>): Promise<T> {
  const before = openSockets();
  const child = Bun.spawn([process.execPath, ...args], { cwd: fileURLToPath(ROOT), stdin: "ignore", stdout: "pipe" });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const started = reader.read().then(({ value = "" }) => value);
  const output = started.then(async () => {
    let text = "";
    for (let chunk; (chunk = await reader.read()).value !== undefined;) text += chunk.value;
    return text;
  });
  const exited = child.exited.then(() => child.exitCode);
  try {
    return await use({ pid: child.pid, started, output, exited, end: () => child.kill() });
  } finally {
    child.kill();
    await within(Promise.all([exited, output]), "the process to end");
    // Its output comes by a socket, which the next test must not count.
    await eventually(() => openSockets() === before, "its output to be closed");
  }
}
