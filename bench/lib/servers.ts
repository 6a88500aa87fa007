/**
 * The measured servers, each in a process of its own.
 *
 * @module
 */

import type { RuntimeName } from "../../testing/runtimes.ts";
import { Child } from "./child.ts";
import type { LoadGenerator, Observation, Phase } from "./load_generator.ts";
import { SOURCES } from "./socket_load.ts";

/** A server to start. */
export interface ServerSpec {
  /** A file in `bench/servers/`. */
  readonly file: string;
  readonly runtime: RuntimeName;
  readonly args: readonly (string | number)[];
}

/** The ways to serve connections, each with the file of its server. */
const FILES = {
  "accept loop": "two_ports.ts",
  "callbacks": "two_ports_callbacks.ts",
  "node:net": "two_ports_node.ts",
} as const;

/** One of them. */
export type Way = keyof typeof FILES;

/** A server of connections with a limit for each client. */
export function limitedServer(runtime: RuntimeName, way: Way, maxPerClient: number): ServerSpec {
  return { file: FILES[way], runtime, args: ["limited", maxPerClient] };
}

/** The same server without limits. */
export function bareServer(runtime: RuntimeName, way: Way, mode = "bare"): ServerSpec {
  return { file: FILES[way], runtime, args: [mode] };
}

/** A server that has work for each message, with the limits of the library or those of a map. */
export function busyServer(runtime: RuntimeName, way: Way, mode: BusyMode, maxPerClient: number): ServerSpec {
  return { file: "busy.ts", runtime, args: [way, mode, maxPerClient] };
}

/** A server with limits that nobody watches, and one that is ranked and logged, or is on a page, in one process. */
export function watchedServer(
  runtime: RuntimeName,
  way: Way,
  maxPerClient: number,
  watching: "log" | "page",
): ServerSpec {
  return { file: "watched.ts", runtime, args: [way, maxPerClient, watching] };
}

/** By whom connections are counted. */
export type BusyMode = "limited" | "naive";

/** A running server. */
export class Server implements Disposable {
  /** All its ports. */
  readonly ports: readonly [first: number, second?: number];
  readonly pid: number;
  readonly #child: Child<{ readonly ports: readonly [number, number?] }>;

  private constructor(child: Child<{ readonly ports: readonly [number, number?] }>) {
    this.#child = child;
    this.ports = child.hello.ports;
    this.pid = child.pid;
  }

  /** Starts a server, and waits until it listens. */
  static async start({ file, runtime, args }: ServerSpec, library?: URL): Promise<Server> {
    const url = new URL(`../servers/${file}`, import.meta.url);
    return new Server(await Child.start(url, args, { runtime, library }));
  }

  /** How many connections to its first port it has admitted. */
  async served(): Promise<number> {
    return await this.#child.ask<number>("served");
  }

  [Symbol.dispose](): void {
    this.#child[Symbol.dispose]();
  }
}

/** Whether the flood's connections are admitted or refused. */
export type Fate = "admitted" | "refused";

/** Connections held while the flood's are admitted or refused, and the limit under which that happens. */
export const FATES: Readonly<Record<Fate, { readonly maxPerClient: number; readonly held: number }>> = {
  admitted: { maxPerClient: 1_000, held: 0 },
  refused: { maxPerClient: 1, held: SOURCES },
};

/** How long is measured, and with how many connections. */
type Window = Omit<Phase, "held">;

/** Floods the first port of a server. To have the flood refused, each of its clients holds a connection to the second. */
export async function flood(
  load: LoadGenerator,
  { ports, pid }: Pick<Server, "ports" | "pid">,
  fate: Fate,
  window: Window,
): Promise<Observation> {
  const phases = [{ ...window, held: FATES[fate].held }];
  const [seen] = await load.observe({ of: "connections", ports, pids: [pid], floodersHold: true, phases });
  return seen!;
}

/** Sends requests to a server of HTTP. */
export async function request(load: LoadGenerator, { ports, pid }: Server, window: Window): Promise<Observation> {
  const [seen] = await load.observe({ of: "requests", ports, pids: [pid], phases: [window] });
  return seen!;
}

/** Sends messages to a server that echoes them. */
export async function message(load: LoadGenerator, { ports, pid }: Server, window: Window): Promise<Observation> {
  const [seen] = await load.observe({ of: "messages", ports, pids: [pid], phases: [window] });
  return seen!;
}

/** Microseconds of CPU time for each connection, request or message. */
export function cpuEach({ cpu, done }: Observation): number {
  return cpu[0]! / done;
}
