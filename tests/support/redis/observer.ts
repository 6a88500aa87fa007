/**
 * A connection to Redis that shares nothing with the clients that are tested.
 *
 * @module
 */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { encode, MessageReader, type Reply, ReplyError } from "./resp.ts";

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** Looks at a server of Redis, and does to it what tests want done. */
export class Observer implements Disposable {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new MessageReader();
    socket.on("data", (chunk) => {
      for (const [reply] of reader.read(chunk)) this.#waiting.shift()?.resolve(reply);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error("the connection to Redis has ended"));
    });
  }

  /** Connects to a port of this machine. */
  static async connect(port: number): Promise<Observer> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await once(socket, "connect");
    return new Observer(socket);
  }

  /** The reply to a command. Throws where that is an error. */
  async ask(...args: readonly (string | number)[]): Promise<Reply> {
    const reply = await new Promise<Reply>((resolve, reject) => {
      if (this.#socket.destroyed) reject(new Error("the connection to Redis has ended"));
      this.#waiting.push({ resolve, reject });
      this.#socket.write(encode(args));
    });
    if (reply instanceof ReplyError) throw reply;
    return reply;
  }

  /** The keys that fit a pattern, sorted. */
  async keys(pattern = "*"): Promise<string[]> {
    return (await this.ask("KEYS", pattern) as string[]).toSorted();
  }

  /** A figure of `INFO`, such as `used_cpu_user`. */
  async info(name: string): Promise<string> {
    const found = new RegExp(`^${name}:(.*)$`, "m").exec(await this.ask("INFO", "everything") as string);
    if (found === null) throw new Error(`INFO has no ${name}`);
    return found[1]!.trim();
  }

  /** How often each command ran since the statistics were reset, but for `INFO` and `CONFIG`. */
  async calls(): Promise<Map<string, number>> {
    const text = await this.ask("INFO", "commandstats") as string;
    const found = [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
    return new Map(
      found.map(([, name, calls]) => [name!, Number(calls)] as const).filter(([name]) => !/^(info|config)/.test(name)),
    );
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
