/**
 * A process beside this one that serves the sockets which it is sent, on every runtime.
 *
 * @module
 */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type * as net from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { within } from "../net.ts";

/** A process that echoes what comes by the sockets that it is sent. */
export class Worker implements AsyncDisposable {
  readonly #child: ChildProcess;
  #sent = 0;
  /** By their numbers, what to call when the worker has closed a socket. */
  readonly #closed = new Map<number, () => void>();

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (id: number) => this.#closed.get(id)?.());
  }

  /** Starts one, and waits until it takes sockets. */
  static async start(): Promise<Worker> {
    // It is plain JavaScript, so that Node needs no loader for it.
    const child = fork(fileURLToPath(new URL("./worker.mjs", import.meta.url)), [], { execArgv: [] });
    await within(once(child, "message"), "the worker to be ready");
    return new Worker(child);
  }

  /** The number of sockets that were sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Sends a socket, which is no longer this process's then. */
  take(socket: net.Socket): void {
    this.#child.send(this.#sent++, socket);
  }

  /** Sends a socket that stays open here, too, until the worker has closed it. */
  share(socket: net.Socket): void {
    this.#closed.set(this.#sent, () => socket.destroy());
    this.#child.send(this.#sent++, socket, { keepOpen: true });
  }

  /** Stops it or lets it go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    // On Deno `child.kill()` closes the channel, whatever the signal.
    process.kill(this.#child.pid!, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await within(exit, "the worker to end");
  }
}
