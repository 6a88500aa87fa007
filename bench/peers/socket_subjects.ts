/**
 * Whoever limits connections over sockets, and those that do not limit them.
 *
 * @module
 */

import type { RuntimeName } from "../../testing/runtimes.ts";
import { bareServer, limitedServer, Server, type ServerSpec, type Way } from "../lib/servers.ts";
import { lackOf, PROXIES, type ProxyName } from "./proxies.ts";
import { startProxy } from "./running_proxy.ts";

/** Something that serves connections, such as by limits. */
export interface Subject {
  readonly by: string;
  /** The name of the subject that it is compared with. */
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

function bare(by: string, runtime: RuntimeName, way: Way): Subject {
  return { by, reference: by, limits: false, start: () => start(bareServer(runtime, way)) };
}

function limited(reference: string, runtime: RuntimeName, way: Way, note = ""): Subject {
  return {
    by: `${reference} with connlimit${note}`,
    reference,
    limits: true,
    start: (maxPerClient) => start(limitedServer(runtime, way, maxPerClient)),
  };
}

async function start(spec: ServerSpec): Promise<Running> {
  const server = await Server.start(spec);
  return {
    ports: portsOf(server),
    pids: [server.pid],
    served: () => server.served(),
    [Symbol.dispose]: () => server[Symbol.dispose](),
  };
}

function portsOf({ ports: [flooded, kept] }: Server): [flooded: number, kept: number] {
  return [flooded, kept!];
}

function proxied(name: ProxyName): Subject {
  return {
    by: `${name} before Deno.listen`,
    reference: "Deno.listen",
    limits: true,
    async start(maxPerClient) {
      using stack = new DisposableStack();
      const server = stack.use(await Server.start(bareServer("Deno", "accept loop")));
      const ports = [freePort(), freePort()] as const;
      const pairs = ports.map((own, index) => [own, portsOf(server)[index]!] as const);
      const proxy = stack.use(await startProxy(name, { maxPerClient, ports: pairs }));
      const stop = stack.move();
      return {
        ports,
        pids: [proxy.hello, server.pid],
        served: () => server.served(),
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
  bare("Deno.listen", "Deno", "accept loop"),
  limited("Deno.listen", "Deno", "accept loop"),
  bare("Bun.listen", "Bun", "callbacks"),
  limited("Bun.listen", "Bun", "callbacks"),
  limited("Bun.listen", "Bun", "accept loop", ", accept loop"),
];

export const NODE_SOCKETS: readonly Subject[] = (["Node", "Deno", "Bun"] as const).flatMap((runtime) => {
  const by = `node:net on ${runtime}`;
  return [bare(by, runtime, "node:net"), limited(by, runtime, "node:net")];
});

/** The proxies that are installed. */
export async function installedProxies(): Promise<Subject[]> {
  const lacks = await proxyLacks();
  return (Object.keys(PROXIES) as ProxyName[]).filter((name) => lacks[name] === undefined).map(proxied);
}

/** Why proxies cannot be measured, by name. */
export async function proxyLacks(): Promise<Partial<Record<ProxyName, string>>> {
  const lacks: Partial<Record<ProxyName, string>> = {};
  for (const name of Object.keys(PROXIES) as ProxyName[]) {
    const lack = await lackOf(PROXIES[name]);
    if (lack !== undefined) lacks[name] = lack;
  }
  return lacks;
}
