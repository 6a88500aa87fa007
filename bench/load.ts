/**
 * Servers and floods in processes of their own.
 *
 * @module
 */

import { type RuntimeName, RUNTIMES } from "../tests/support/runtimes.ts";

export type { RuntimeName };

/** What stands before the file where Deno runs it. */
const RUN = ["run", "-A", "--no-check"];

/** How a program is started. */
interface ProgramOptions extends Deno.CommandOptions {
  readonly executable?: string;
  /** What stands before the file. */
  readonly command?: readonly string[];
}

/** A program of this folder, started by `deno run` unless another command is given. */
export function program(
  file: string,
  args: readonly (string | number)[] = [],
  { executable = Deno.execPath(), command = RUN, ...options }: ProgramOptions = {},
): Deno.Command {
  const path = new URL(file, import.meta.url).pathname;
  return new Deno.Command(executable, {
    args: [...command, path, ...args.map(String)],
    stdout: "piped",
    stderr: "inherit",
    ...options,
  });
}

/** Runs a program to its end. Resolves to what it printed. */
export async function outputOf(program: Deno.Command): Promise<string> {
  const { code, stdout } = await program.output();
  if (code !== 0) throw new Error(`a benchmark's program ended with exit code ${code}`);
  return new TextDecoder().decode(stdout);
}

/** A running server, which prints its ports first, and figures whenever it is sent a line. */
export class Server implements Disposable {
  /** All its ports. */
  readonly ports: readonly number[];
  readonly #process: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(
    ports: readonly number[],
    process: Deno.ChildProcess,
    output: ReadableStreamDefaultReader<string>,
  ) {
    this.ports = ports;
    this.#process = process;
    this.#output = output;
    this.#input = process.stdin.getWriter();
  }

  /** Starts a server of this folder, in one of its modes, and waits until it listens. */
  static async start(
    file: string,
    mode: string,
    runtime: RuntimeName = "Deno",
    options: readonly (string | number)[] = [],
  ): Promise<Server> {
    const { command: executable, args } = await RUNTIMES[runtime]();
    const command = runtime === "Deno" ? RUN : args;
    const process = program(file, [mode, ...options], { executable, command, stdin: "piped" }).spawn();
    const output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { value } = await output.read();
    if (value === undefined) throw new Error(`${file} has ended before it listened`);
    return new Server(value.split(" ").map(Number), process, output);
  }

  /** Its port, or the first of them. */
  get port(): number {
    return this.ports[0]!;
  }

  /** The number of its process. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Connections served and microseconds of CPU time used since it started. */
  async read(): Promise<{ served: number; cpu: number }> {
    await this.#input.write(new Uint8Array([10]));
    // One line for one line, so it arrives in one piece.
    const { value } = await this.#output.read();
    const [served, cpu] = value!.split(" ").map(Number) as [number, number];
    return { served, cpu };
  }

  [Symbol.dispose](): void {
    try {
      this.#process.kill();
    } catch {
      // It has ended already, and something else tells of that.
    }
  }
}
