/**
 * Servers that run out of file descriptors, in processes of their own.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { eventually, within } from "../net.ts";
import { kill } from "./kill.ts";

/** A server that prints its port, and then its state, over and over. */
export class ServerWithFew<S> implements AsyncDisposable {
  readonly port: Promise<number>;
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;

  /** Starts a script of this folder with at most so many descriptors. */
  constructor(descriptors: number, script: string, ...args: string[]) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const run = `ulimit -n ${descriptors} && exec "$0" run -A --quiet --no-check "$@"`;
    this.#child = new Deno.Command("sh", { args: ["-c", run, Deno.execPath(), path, ...args], stdout: "piped" })
      .spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(splitLines()).getReader();
    this.port = this.#read();
  }

  /** Waits for a state. */
  async until(condition: (state: S) => boolean, what: string): Promise<S> {
    let state: S | undefined;
    try {
      await eventually(async () => condition(state = await this.#read<S>()), what);
    } catch (error) {
      throw new Error(`the server's last state is ${JSON.stringify(state)}`, { cause: error });
    }
    return state!;
  }

  async #read<T>(): Promise<T> {
    return JSON.parse((await within(this.#lines.read(), "the server")).value!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    kill(this.#child, "SIGKILL");
    await this.#child.status;
    await this.#lines.cancel();
  }
}

function splitLines(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) controller.enqueue(line);
    },
  });
}
