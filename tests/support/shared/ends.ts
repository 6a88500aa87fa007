/**
 * Threads and processes that run a file of these tests, on every runtime.
 *
 * @module
 */

import { type ChildProcess, fork } from "node:child_process";
import cluster from "node:cluster";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Worker as NodeWorker } from "node:worker_threads";
import type { ChannelLike } from "../../../src/shared/channel.ts";
import { isBun, isDeno } from "../platform.ts";

/** One that has been started. */
export interface Started {
  readonly channel: ChannelLike;
  /** Ends it from outside. */
  kill(): unknown;
}

/** A worker of `node:worker_threads`. On Node, what runs TypeScript has to be loaded in each thread. */
export function startThread(file: URL): Started {
  const loader = process.execArgv[process.execArgv.indexOf("--import") + 1];
  const api = loader && new URL("esm/api/index.mjs", loader);
  const code = `import("${api}").then((tsx) => (tsx.register(), import("${file}")))`;
  const channel = isDeno || isBun ? new NodeWorker(fileURLToPath(file)) : new NodeWorker(code, { eval: true });
  channel.on("error", () => {}); // else its errors would be this thread's
  return { channel, kill: () => channel.terminate() };
}

/** A child process. */
export function startProcess(file: URL): Started & { readonly channel: ChildProcess } {
  const channel = fork(fileURLToPath(file));
  return { channel, kill: () => channel.kill("SIGKILL") };
}

/** A worker of `node:cluster`. */
function startClusterWorker(file: URL): Started {
  cluster.setupPrimary({ exec: fileURLToPath(file) });
  const channel = cluster.fork();
  return { channel, kill: () => channel.process.kill("SIGKILL") };
}

/** A worker of the web. Node has none. On Deno, an error that nobody has seen ends the thread that has started it as well. */
function startWebWorker(file: URL): Started {
  const channel = new Worker(file, { type: "module" });
  channel.addEventListener("error", (event) => event.preventDefault());
  return { channel, kill: () => channel.terminate() };
}

/** All of these by their names. */
export const STARTS: Readonly<Record<string, (file: URL) => Started>> = {
  "a worker of node:worker_threads": startThread,
  "a child process": startProcess,
  "a worker of node:cluster": startClusterWorker,
  ...(isDeno || isBun) && { "a worker of the web": startWebWorker },
};
