/**
 * Servers of Redis or Valkey, on ports and in folders of their own.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { type Lack, lackUnless } from "../../../testing/loopback.ts";
import { Program } from "../../../testing/program.ts";
import { Folder } from "../folder.ts";
import { eventually, freePort } from "../net.ts";
import { Observer } from "./observer.ts";

/** The programs that this machine has, by the names of their packages in Debian. */
export const STORES: readonly string[] = ["redis-server", "valkey-server"].filter((command) =>
  spawnSync(command, ["--version"]).status === 0
);

export const noRedis: Lack = lackUnless(
  STORES.includes("redis-server"),
  "there is no Redis: apt-get install redis-server",
);

/** How a server is started. */
export interface RedisOptions {
  /** @default {"redis-server"} */
  readonly program?: string;
  /** Whether a server that has been killed has its data again after `restart()`. */
  readonly persistent?: boolean;
  /** The port of the server that it is a replica of. */
  readonly replicaOf?: number;
  /** Whether it is to be a node of a Cluster. */
  readonly cluster?: boolean;
  /** Further arguments, as on the command line. */
  readonly args?: readonly string[];
}

/** A server that runs until it is disposed of. */
export class RunningRedis implements AsyncDisposable {
  readonly port: number;
  /** The port at which nodes of a Cluster talk to each other. By default that would be one of those given to clients. */
  readonly busPort: number;
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #folder = new Folder();
  #program: Program | undefined;

  private constructor(port: number, busPort: number, options: RedisOptions) {
    const { program = "redis-server", persistent, replicaOf, cluster, args = [] } = options;
    this.port = port;
    this.busPort = busPort;
    this.#command = program;
    this.#args = [
      ...["--port", `${port}`, "--bind", "127.0.0.1", "--dir", this.#folder.file(""), "--save", ""],
      ...["--repl-diskless-sync-delay", "0"],
      ...persistent ? ["--appendonly", "yes", "--appendfsync", "always"] : [],
      ...replicaOf === undefined ? [] : ["--replicaof", "127.0.0.1", `${replicaOf}`],
      ...cluster ? ["--cluster-enabled", "yes", "--cluster-port", `${busPort}`] : [],
      ...args,
    ];
  }

  /** Starts a server, and waits until it answers. */
  static async start(options: RedisOptions = {}): Promise<RunningRedis> {
    for (;;) {
      const redis = new RunningRedis(await freePort(), await freePort(), options);
      try {
        await redis.restart();
        return redis;
      } catch (error) {
        await redis[Symbol.asyncDispose]();
        // Somebody else has taken the port meanwhile.
        if (!redis.#program?.output.includes("Address already in use")) throw error;
      }
    }
  }

  /** Starts it again after `kill()`, at the same port. */
  async restart(): Promise<void> {
    const program = new Program(this.#command, this.#args, { stderr: "pipe" });
    this.#program = program;
    await eventually(async () => {
      if (!program.runs) throw new Error(`${this.#command} has ended: ${program.output}`);
      try {
        using observer = await this.observe();
        return await observer.ask("PING") === "PONG";
      } catch {
        return false;
      }
    }, `${this.#command} to answer`);
  }

  /** A connection to it. Its user closes it. */
  async observe(): Promise<Observer> {
    return await Observer.connect(this.port);
  }

  /** What a new connection is told by it. */
  async ask(...args: readonly (string | number)[]): ReturnType<Observer["ask"]> {
    using observer = await this.observe();
    return await observer.ask(...args);
  }

  /** Ends it as a crash does, and waits for that. */
  async kill(): Promise<void> {
    await this.#program?.[Symbol.asyncDispose]();
  }

  /** Lets it answer nothing until it is `resume`d. Its connections stay open. */
  freeze(): void {
    this.#program?.kill("SIGSTOP");
  }

  resume(): void {
    this.#program?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.#folder[Symbol.dispose]();
  }
}
