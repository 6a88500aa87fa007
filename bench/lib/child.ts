/**
 * Child processes that speak the line protocol of `commands.ts`.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type Runtime, type RuntimeName, RUNTIMES } from "../../testing/runtimes.ts";

/** How a child is started. */
export interface ChildOptions {
  /** @default {"Deno"} */
  readonly runtime?: RuntimeName;
  /** Flags of V8, for Deno and Node. */
  readonly v8Flags?: readonly string[];
  /** Further flags of `deno run`. */
  readonly flags?: readonly string[];
  /** The root of the checkout whose library the child loads, if not this one. It needs `lib/library.ts`. */
  readonly library?: URL | undefined;
  /** The most descriptors that the child may have open. */
  readonly descriptors?: number | undefined;
  /** Whether standard error is kept in `complaints`, instead of being passed on. */
  readonly quiet?: boolean;
  /** Whether the child ends by itself when its input ends, since it has to clean up. Nothing else kills it then. */
  readonly detached?: boolean;
  /** Milliseconds until the first line. */
  readonly deadline?: number;
}

/** Milliseconds for a reply: more than any takes. */
const DEADLINE = 60_000;
/** Milliseconds for a program whose first line is its result. */
const RESULT_DEADLINE = 600_000;
/** How many characters of standard error are kept. */
const KEPT = 4_000;

const found = new Map<RuntimeName, Promise<Runtime>>();

/** A runtime, looked for once. */
function runtimeOf(name: RuntimeName): Promise<Runtime> {
  const runtime = found.get(name) ?? RUNTIMES[name]();
  found.set(name, runtime);
  return runtime;
}

async function commandLine(file: URL, args: readonly unknown[], options: ChildOptions): Promise<string[]> {
  const { runtime = "Deno", v8Flags = [], flags = [], descriptors } = options;
  const { command, args: first } = await runtimeOf(runtime);
  const v8 = runtime === "Deno" && v8Flags.length > 0 ? [`--v8-flags=${v8Flags.join()}`] : v8Flags;
  const before = { Deno: ["run", "-A", "--no-check", ...flags, ...v8], Bun: [], Node: [...v8, ...first] }[runtime];
  const line = [command, ...before, fileURLToPath(file), ...args.map(String)];
  return descriptors === undefined ? line : ["sh", "-c", `ulimit -n ${descriptors}; exec "$@"`, "sh", ...line];
}

/** A running program. */
export class Child<H = unknown> implements Disposable {
  readonly pid: number;
  /** Resolves when the process has ended and its output has been read, to the exit code or the signal. */
  readonly gone: Promise<string>;
  /** The same, once it is known. */
  ended: string | undefined;
  /** The beginning of standard error, and how many characters there were in all. */
  complaints = "";
  complained = 0;
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #detached: boolean;
  readonly #lines: string[] = [];
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  #hello: H | undefined;

  private constructor(process: Deno.ChildProcess, { quiet = false, detached = false }: ChildOptions) {
    this.#process = process;
    this.#detached = detached;
    this.pid = process.pid;
    this.#input = process.stdin.getWriter();
    this.gone = this.#read();
    if (quiet) this.#listen();
  }

  /** Starts a program, and waits for its first line. */
  static async start<H>(file: URL, args: readonly unknown[] = [], options: ChildOptions = {}): Promise<Child<H>> {
    const [command, ...rest] = await commandLine(file, args, options);
    const { library, quiet = false, detached = false, deadline = DEADLINE } = options;
    const process = new Deno.Command(command!, {
      args: rest,
      env: library === undefined ? {} : { CONNLIMIT_ROOT: library.href },
      stdin: "piped",
      stdout: "piped",
      stderr: quiet ? "piped" : "inherit",
      detached,
    }).spawn();
    const child = new Child<H>(process, options);
    try {
      child.#hello = JSON.parse(await child.#line(deadline));
      return child;
    } catch (error) {
      child[Symbol.dispose]();
      throw new Error(`${file.pathname.split("/").at(-1)} does not start: ${child.complaints}`, { cause: error });
    }
  }

  /** Runs a program whose first line is its result, and ends it. */
  static async result<T>(file: URL, args: readonly unknown[] = [], options: ChildOptions = {}): Promise<T> {
    using child = await Child.start<T>(file, args, { deadline: RESULT_DEADLINE, ...options });
    return child.hello;
  }

  /** The first line. */
  get hello(): H {
    return this.#hello!;
  }

  async #read(): Promise<string> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const resolve = this.#waiting.shift();
        if (resolve === undefined) this.#lines.push(line);
        else resolve(line);
      }
    }
    const { code, signal } = await this.#process.status;
    this.ended = signal ?? `exit code ${code}`;
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
    return this.ended;
  }

  async #listen(): Promise<void> {
    for await (const text of this.#process.stderr.pipeThrough(new TextDecoderStream())) {
      this.complained += text.length;
      this.complaints = (this.complaints + text).slice(0, KEPT);
    }
  }

  /** Runs a command of the child's. Rejects if the child ends, or if the deadline passes; a late reply is dropped. */
  async ask<T>(command: string, args: readonly unknown[] = [], deadline: number = DEADLINE): Promise<T> {
    // If the child has ended, the write fails, and the wait for the line says why.
    this.#input.write(new TextEncoder().encode(`${JSON.stringify([command, ...args])}\n`)).catch(() => {});
    return JSON.parse(await this.#line(deadline));
  }

  async #line(deadline: number): Promise<string> {
    const early = this.#lines.shift();
    if (early !== undefined) return early;
    if (this.ended !== undefined) throw new Error(`it has ended, with ${this.ended}`);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const line = await new Promise<string | undefined>((resolve, reject) => {
      this.#waiting.push(resolve);
      timer = setTimeout(() => reject(new Error(`there was no line in ${deadline} ms`)), deadline);
    }).finally(() => clearTimeout(timer));
    if (line === undefined) throw new Error(`it has ended, with ${this.ended}`);
    return line;
  }

  [Symbol.dispose](): void {
    this.#input.close().catch(() => {});
    if (this.#detached || this.ended !== undefined) return;
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
