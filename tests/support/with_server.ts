/**
 * Starting a server's program, on any runtime.
 *
 * @module
 */

import { assert } from "@std/assert";
import { getAvailablePort } from "@std/net";
import { answers, eventually, ownPort } from "./net.ts";
import { Program } from "../../testing/program.ts";
import { type RuntimeName, RUNTIMES } from "../../testing/runtimes.ts";

/** The root of the repository. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** A server that listens. */
export interface Serving {
  readonly port: number;
  readonly program: Program;
  /** What it has printed so far; to the console's errors too with `stderr: "pipe"`. */
  output(): string;
}

/**
 * Runs a server's program from when it listens until `use` is done with it.
 *
 * @param argsAt What the runtime is told, for a port that the server is to have for its own.
 */
export async function withServer(
  runtime: RuntimeName,
  argsAt: (port: number) => readonly string[] | Promise<readonly string[]>,
  use: (serving: Serving) => Promise<void>,
  { cwd = ROOT, stderr = "inherit", env }: {
    cwd?: string | URL;
    stderr?: "inherit" | "pipe";
    env?: (port: number) => Record<string, string>;
  } = {},
): Promise<void> {
  const { command, args } = await RUNTIMES[runtime]();
  const port = getAvailablePort({ preferredPort: ownPort() });
  await using program = new Program(command, [...args, ...await argsAt(port)], { cwd, stderr, env: env?.(port) });
  try {
    await eventually(() => answers(port), "the server to listen");
    await use({ port, program, output: () => program.output });
  } finally {
    program.kill();
    await program.ended;
  }
}

/** What an example that tells to start it by `start` tells to put between that and its own name. */
export function printedArgs(text: string, start: string, file: string): string[] {
  const line = text.split("\n").find((line) => line.startsWith(` *   ${start} `));
  assert(line !== undefined && line.endsWith(` ${file}`), `${file} should print a command for ${start}`);
  return line.slice(` *   ${start} `.length, -file.length).split(" ").filter(Boolean);
}
