/**
 * Running a script by whatever client there is.
 *
 * @module
 */

import { createHash } from "node:crypto";

/**
 * Sends a command of Redis, and resolves to its reply or rejects with its error. It is all that is known of the client.
 *
 * @param args The command and its arguments.
 * @param key The only key among them, by which the client of a Cluster finds the node.
 */
export type SendCommand = (args: readonly string[], key: string) => PromiseLike<unknown>;

/** A script. It is sent by its hash, and whole where Redis does not have it. */
export class Script {
  readonly #source: string;
  readonly #hash: string;

  constructor(source: string) {
    this.#source = source;
    this.#hash = createHash("sha1").update(source).digest("hex");
  }

  /** Runs the script with one key. */
  run(send: SendCommand, key: string, args: readonly string[]): PromiseLike<unknown> {
    return send(["EVALSHA", this.#hash, "1", key, ...args], key).then(undefined, (error) => {
      // Nothing else is sent again: whether another error comes before the execution or after it, nobody knows.
      if (!/NOSCRIPT|NoScript/i.test(String((error as Error | undefined)?.message ?? error))) throw error;
      return send(["EVAL", this.#source, "1", key, ...args], key);
    });
  }
}
