/**
 * Whoever limits connections over sockets, and those that do not limit them.
 *
 * @module
 */

import { type RuntimeName, Server } from "../load.ts";
import { lackOf, PROXIES, type ProxyName } from "./proxies.ts";
import { RunningProxy } from "./proxy.ts";

/** Something that serves connections, such as by limits. */
export interface Subject {
  readonly by: string;
  /** What it is compared to: the name of a subject. */
  readonly reference: string;
  readonly limits: boolean;
  start(maxPerClient: number): Promise<Running>;
}

/** A subject that runs. */
export interface Running extends Disposable {
  readonly ports: readonly [flooded: number, kept: number];
  /** The processes that serve, the one in front first. */
  readonly pids: readonly number[];
  /** How many connections have come through at the port that is flooded. */
  served(): Promise<number>;
}

const FILES = { Deno: "two_doors.ts", Bun: "two_doors_bun.ts", net: "two_doors_node.ts" } as const;

function bare(by: string, file: keyof typeof FILES, runtime: RuntimeName): Subject {
  return { by, reference: by, limits: false, start: () => start(file, "bare", runtime, []) };
}

function limited(reference: string, file: keyof typeof FILES, runtime: RuntimeName, mode = "limited"): Subject {
  const by = `${reference} with connlimit${mode === "loop" ? ", accept loop" : ""}`;
  return { by, reference, limits: true, start: (maxPerClient) => start(file, mode, runtime, [maxPerClient]) };
}

async function start(
  file: keyof typeof FILES,
  mode: string,
  runtime: RuntimeName,
  options: readonly number[],
): Promise<Running> {
  const server = await Server.start(FILES[file], mode, runtime, options);
  return {
    ports: portsOf(server),
    pids: [server.pid],
    served: async () => (await server.read()).served,
    [Symbol.dispose]: () => server[Symbol.dispose](),
  };
}

function portsOf({ ports: [flooded, kept] }: Server): [flooded: number, kept: number] {
  return [flooded!, kept!];
}

function proxied(name: ProxyName): Subject {
  return {
    by: `${name} before Deno.listen`,
    reference: "Deno.listen",
    limits: true,
    async start(maxPerClient) {
      using stack = new DisposableStack();
      const server = stack.use(await Server.start(FILES.Deno, "bare"));
      const ports = [freePort(), freePort()] as const;
      const proxy = stack.use(
        await RunningProxy.start(name, { maxPerClient, ports: ports.map((own, door) => [own, server.ports[door]!]) }),
      );
      const stop = stack.move();
      return {
        ports,
        pids: [proxy.pid, server.pid],
        served: async () => (await server.read()).served,
        [Symbol.dispose]: () => stop.dispose(),
      };
    },
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Those that stand on a runtime's own sockets, or on `node:net`, each after what it is compared to. */
export const OWN_SOCKETS: readonly Subject[] = [
  bare("Deno.listen", "Deno", "Deno"),
  limited("Deno.listen", "Deno", "Deno"),
  bare("Bun.listen", "Bun", "Bun"),
  limited("Bun.listen", "Bun", "Bun"),
  limited("Bun.listen", "Bun", "Bun", "loop"),
];

export const NODE_SOCKETS: readonly Subject[] = (["Node", "Deno", "Bun"] as const).flatMap((runtime) => {
  const by = `node:net on ${runtime}`;
  return [bare(by, "net", runtime), limited(by, "net", runtime)];
});

/** The proxies that are installed. Says on standard error which are not. */
export async function installedProxies(): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const name of Object.keys(PROXIES) as ProxyName[]) {
    const lack = await lackOf(PROXIES[name]);
    if (lack === undefined) subjects.push(proxied(name));
    else console.error(`${name} is left out: ${lack}`);
  }
  return subjects;
}
