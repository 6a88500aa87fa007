/**
 * The channel of a worker or a child process to what has started it.
 *
 * @module
 */

import process from "node:process";
import { parentPort } from "node:worker_threads";
import type { ChannelLike } from "./channel.ts";

/**
 * Finds the channel to the thread or the process that has started this one.
 *
 * @throws {TypeError} If there is none.
 */
export function parentChannel(): ChannelLike {
  // Threads first: on Deno each of them has a `process.send` that is nobody's.
  if (parentPort != null) return parentPort;
  if ("WorkerGlobalScope" in globalThis) return globalThis as ChannelLike;
  if (process.connected) return process as ChannelLike;
  throw new TypeError("channel must be given here: this is no worker, and no child process with a channel");
}
