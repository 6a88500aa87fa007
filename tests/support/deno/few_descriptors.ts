/**
 * Servers that run out of file descriptors, in processes of their own.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { Program } from "../../../testing/program.ts";
import { eventually } from "../net.ts";

/** A server that prints its port, and then its state, over and over. */
export class ServerWithFew<S> implements AsyncDisposable {
  readonly port: Promise<number>;
  readonly #program: Program;

  /** Starts a script of this folder with at most so many descriptors. */
  constructor(descriptors: number, script: string, ...args: string[]) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const run = `ulimit -n ${descriptors} && exec "$@"`;
    const line = [Deno.execPath(), "run", "-A", "--quiet", "--no-check", path, ...args];
    this.#program = new Program("sh", ["-c", run, "sh", ...line]);
    this.port = this.#listening();
  }

  async #listening(): Promise<number> {
    await eventually(() => this.#lines().length > 0, "the server");
    return JSON.parse(this.#lines()[0]!);
  }

  /** What it has printed, without a line that it is about to print. */
  #lines(): string[] {
    return this.#program.output.split("\n").slice(0, -1);
  }

  /** Waits for a state that is printed from now on. */
  async until(condition: (state: S) => boolean, what: string): Promise<S> {
    const before = this.#lines().length;
    let state: S | undefined;
    try {
      await eventually(() => {
        const lines = this.#lines();
        return lines.length > Math.max(1, before) && condition(state = JSON.parse(lines.at(-1)!));
      }, what);
    } catch (error) {
      throw new Error(`the server's last state is ${JSON.stringify(state)}`, { cause: error });
    }
    return state!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}
