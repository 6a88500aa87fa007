/**
 * Programs that do what they are told, a line at a time, in processes of their own.
 *
 * @module
 */

import { program, type RuntimeName } from "../load.ts";
import { RUNTIMES } from "../../tests/support/runtimes.ts";

/** A running program, which is ended at the latest when this is disposed of. */
export class Worker implements AsyncDisposable {
  readonly pid: number;
  readonly #process: Deno.ChildProcess;
  readonly #name: string;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #received = "";

  private constructor(name: string, process: Deno.ChildProcess) {
    this.#name = name;
    this.#process = process;
    this.pid = process.pid;
    this.#output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#input = process.stdin.getWriter();
  }

  /** Starts a program of this folder, in which garbage can be collected on demand. */
  static async start(file: string, args: readonly (string | number)[], runtime: RuntimeName): Promise<Worker> {
    const { command: executable, args: first } = await RUNTIMES[runtime]();
    const command = {
      Deno: ["run", "-A", "--no-check", "--v8-flags=--expose-gc"],
      Bun: [],
      Node: ["--expose-gc", ...first],
    }[runtime];
    const options = { executable, command, stdin: "piped" } as const;
    return new Worker(`${file} on ${runtime}`, program(`soak/${file}`, args, options).spawn());
  }

  /** Tells it to do something. Resolves to what came of it. One thing at a time. */
  async tell<T>(command: string): Promise<T> {
    try {
      await this.#input.write(new TextEncoder().encode(`${command}\n`));
    } catch {
      // It has ended, which reading tells better.
    }
    return await this.line();
  }

  /** The next line that it prints. */
  async line<T>(): Promise<T> {
    while (!this.#received.includes("\n")) {
      const { done, value } = await this.#output.read();
      if (done) {
        const { code, signal } = await this.#process.status;
        throw new Error(`${this.#name} has ended, with ${signal ?? `exit code ${code}`}`);
      }
      this.#received += value;
    }
    const end = this.#received.indexOf("\n");
    const line = this.#received.slice(0, end);
    this.#received = this.#received.slice(end + 1);
    return JSON.parse(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#process.status;
  }
}
