/**
 * Programs in processes of their own.
 *
 * @module
 */

import process from "node:process";
import { execa } from "execa";

/** How a program is started. */
export interface ProgramOptions {
  readonly cwd?: string | URL | undefined;
  /** What is added to the environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** What it reads. By default there is nothing to read. */
  readonly input?: string | undefined;
  /** With "pipe", what it prints to standard error is in the output too. @default {"inherit"} */
  readonly stderr?: "inherit" | "pipe" | "ignore" | undefined;
}

/** How a program has ended: with an exit code, or by a signal. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A program that runs until it is disposed of. */
export class Program implements AsyncDisposable {
  /** Resolves when the process has ended and its output has been read. */
  readonly ended: Promise<ProgramEnd>;
  readonly #process: Pick<ReturnType<typeof execa>, "pid">;
  #output = "";
  #runs = true;

  constructor(command: string, args: readonly string[], options: ProgramOptions = {}) {
    const { cwd, env, input, stderr = "inherit" } = options;
    const program = execa(command, args, {
      ...cwd !== undefined && { cwd },
      ...env !== undefined && { env },
      ...input === undefined ? { stdin: "ignore" } : { input },
      stderr,
      buffer: false,
      reject: false,
    });
    for (const stream of [program.stdout, program.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => this.#output += text);
    }
    this.#process = program;
    this.ended = program.then(({ exitCode: code = null, signal = null, cause }) => {
      this.#runs = false;
      if (code === null && signal === null) throw cause;
      return { code, signal };
    });
    // That it could not be started concerns those who wait for its end.
    this.ended.catch(() => {});
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Whether it has not ended yet, as far as is known. */
  get runs(): boolean {
    return this.#runs;
  }

  /** What it has printed so far. */
  get output(): string {
    return this.#output;
  }

  /** Sends a signal, unless the program has ended. (Deno's `kill()` of a child does nothing the second time.) */
  kill(signal: "SIGTERM" | "SIGKILL" | "SIGINT" | "SIGHUP" | "SIGSTOP" | "SIGCONT" = "SIGTERM"): void {
    if (!this.#runs || this.#process.pid === undefined) return;
    try {
      process.kill(this.#process.pid, signal);
    } catch {
      // It has ended just now.
    }
  }

  /** Ends it as a crash does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.ended.catch(() => {});
  }
}
