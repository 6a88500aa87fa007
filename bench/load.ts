/**
 * The load: servers in processes of their own, and floods of real connections against them.
 *
 * @module
 */

import { connect } from "node:net";
import { createInterface } from "node:readline";
import { type ChildProcess, spawn } from "node:child_process";
import type { Mode } from "./server.ts";

/** A running `bench/server.ts`. */
export class Server implements Disposable {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(port: number, process: ChildProcess, lines: AsyncIterator<string>) {
    this.port = port;
    this.#process = process;
    this.#lines = lines;
  }

  /** Starts a server and waits until it listens. */
  static async start(mode: Mode): Promise<Server> {
    const path = new URL("server.ts", import.meta.url).pathname;
    const process = spawn(Deno.execPath(), ["run", "-A", "--no-check", path, mode], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface({ input: process.stdout! })[Symbol.asyncIterator]();
    const { value } = await lines.next();
    return new Server(Number(value), process, lines);
  }

  /** Connections served and microseconds of CPU time used since it started. */
  async read(): Promise<{ served: number; cpu: number }> {
    this.#process.stdin!.write("\n");
    const { value } = await this.#lines.next();
    const [served, cpu] = value.split(" ").map(Number);
    return { served, cpu };
  }

  [Symbol.dispose](): void {
    this.#process.kill();
  }
}

/** A flood from a process of its own that goes on until it is disposed of. */
export class Flood implements Disposable {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  static start(port: number, concurrency: number): Flood {
    const path = new URL("flood.ts", import.meta.url).pathname;
    const args = ["run", "-A", "--no-check", path, `${port}`, `${concurrency}`];
    return new Flood(spawn(Deno.execPath(), args, { stdio: "inherit" }));
  }

  [Symbol.dispose](): void {
    this.#process.kill();
  }
}

/**
 * Opens `count` connections from 200 loopback addresses, `concurrency` at a time, each held until the server ends it.
 */
export function flood(port: number, count: number, concurrency: number): Promise<void> {
  return new Promise((resolve) => {
    let started = 0;
    let running = 0;
    const next = () => {
      if (started === count) {
        if (running === 0) resolve();
        return;
      }
      running++;
      const localAddress = `127.0.${started % 4}.${1 + started % 50}`;
      started++;
      const socket = connect({ port, host: "127.0.0.1", localAddress });
      socket.on("error", () => {});
      socket.on("close", () => {
        running--;
        next();
      });
      socket.resume();
    };
    for (let i = 0; i < concurrency; i++) next();
  });
}
