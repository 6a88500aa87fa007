/**
 * The processes that take part: each prints lines, and may end when it likes.
 *
 * @module
 */

/** How much of what a process complains of is kept. */
const KEPT = 4_000;

/** A process whose lines are read one by one. */
export class Child implements Disposable {
  readonly pid: number;
  /** How it has ended, once it has. */
  ended: string | undefined;
  /** What it has complained of, and how many characters that was in all. */
  complaints = "";
  complained = 0;
  /** The last line. */
  last = "";
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #lines: string[] = [];
  #wake: () => void = () => {};
  readonly #keeps: boolean;

  /** @param keeps Whether its lines are asked for; of others only the last is kept. */
  constructor(command: Deno.Command, keeps = true) {
    this.#keeps = keeps;
    this.#process = command.spawn();
    this.pid = this.#process.pid;
    this.#input = this.#process.stdin.getWriter();
    this.#process.status.then(({ code, signal }) => {
      this.ended = signal === null ? `exit code ${code}` : signal;
      this.#wake();
    });
    this.#read();
    this.#listen();
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      if (lines.length === 0) continue;
      this.last = lines.at(-1)!;
      if (this.#keeps) this.#lines.push(...lines);
      this.#wake();
    }
  }

  async #listen(): Promise<void> {
    for await (const text of this.#process.stderr.pipeThrough(new TextDecoderStream())) {
      this.complained += text.length;
      this.complaints = (this.complaints + text).slice(0, KEPT);
    }
  }

  /** Writes a line. One that has ended hears nothing. */
  say(line: string): void {
    this.#input.write(new TextEncoder().encode(`${line}\n`)).catch(() => {});
  }

  /** Writes a line, and waits for one. */
  async ask(line: string, deadline: number): Promise<string> {
    this.say(line);
    return await this.line(deadline);
  }

  /** Waits for a line. Throws where there is none by the deadline, in milliseconds, or where the process has ended. */
  async line(deadline: number): Promise<string> {
    if (!await this.until(() => this.#lines.length > 0, deadline)) {
      throw new Error(this.ended ?? `no line in ${deadline} ms: ${this.complaints}`);
    }
    return this.#lines.shift()!;
  }

  /** Waits for something that comes about with a line. Returns whether it has before the deadline and its end. */
  async until(condition: () => boolean, deadline: number): Promise<boolean> {
    const end = performance.now() + deadline;
    while (!condition()) {
      const left = end - performance.now();
      if (this.ended !== undefined || left <= 0) return false;
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
    return true;
  }

  [Symbol.dispose](): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }
}
