/**
 * Whether servers that share a limit keep anything of clients that reset, or leave while the store is asked for them.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { Child } from "../../bench/lib/child.ts";
import { Random } from "../../testing/random.ts";
import { eventually } from "../../testing/net.ts";
import type { RuntimeName } from "../../testing/runtimes.ts";
import type { SharedStats } from "../../src/shared/store_limiter.ts";
import { RunningRedis } from "../../tests/support/redis/running_redis.ts";

/** The servers, each with another client of Redis. */
const SERVERS: readonly [runtime: RuntimeName, client: string][] = [
  ["Deno", "redis"],
  ["Deno", "ioredis"],
  ["Bun", "Bun.RedisClient"],
];

/** Connections under way at once, and the addresses that they come from. */
const IN_FLIGHT = 100;
const ADDRESSES = 20;

/** What was seen. */
export interface Leaks {
  readonly tried: number;
  readonly echoed: number;
  readonly admitted: number;
  readonly refused: number;
  readonly unhandled: number;
  /** Connections that count at a server, wait there, or are held in the store, when all clients have left. */
  readonly open: number;
  /** Keys that were left when all servers had ended. */
  readonly left: readonly string[];
}

type Stats = SharedStats & { readonly unhandled: number };

/** Opens so many connections. */
export async function measureLeaks(connections: number, seed: number = 1): Promise<Leaks> {
  const random = new Random(seed);
  await using redis = await RunningRedis.start();
  const file = new URL("socket_sharer.ts", import.meta.url);
  using stack = new DisposableStack();
  const servers: Child<{ readonly port: number }>[] = [];
  for (const [runtime, client] of SERVERS) {
    servers.push(stack.use(await Child.start<{ readonly port: number }>(file, [client, redis.port], { runtime })));
  }

  let [tried, echoed] = [0, 0];
  const lane = async () => {
    while (tried < connections) {
      tried++;
      const socket = connect({
        host: "127.0.0.1",
        port: random.pick(servers).hello.port,
        localAddress: `127.0.0.${random.integer(2, 1 + ADDRESSES)}`,
      });
      if (await random.pick(VISITS)(socket, random)) echoed++;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));

  const stats = () => Promise.all(servers.map((server) => server.ask<Stats>("stats")));
  const sum = (all: readonly Stats[], of: (stats: Stats) => number) => all.reduce((sum, it) => sum + of(it), 0);
  using observer = await redis.observe();
  /** What counts here and there. The registry of the servers is no count. */
  const open = async () => {
    const here = sum(await stats(), ({ open, pending, waiting }) => open + pending + waiting);
    return here + (await observer.keys("connlimit:sockets:*")).filter((key) => /:(?:[can]:|t$)/.test(key)).length;
  };
  await eventually(async () => await open() === 0, "everything to be given back").catch(() => {});
  const all = await stats();
  const result = {
    tried,
    echoed,
    admitted: sum(all, ({ admitted }) => admitted),
    refused: sum(all, ({ refused }) => refused),
    unhandled: sum(all, ({ unhandled }) => unhandled),
    open: await open(),
  };
  for (const server of servers) await server.ask("close");
  return { ...result, left: await redis.ask("KEYS", "*") as string[] };
}

/** A visit. Resolves to whether something came back. */
type Visit = (socket: Socket, random: Random) => Promise<boolean>;

const closed = (socket: Socket) => new Promise<void>((resolve) => socket.once("close", () => resolve()));

/** What clients do: leave at once, leave while the store may be asked for them, or stay for an echo. */
const VISITS: readonly Visit[] = [
  async (socket) => {
    const end = closed(socket.on("error", () => {}));
    socket.destroy();
    await end;
    return false;
  },
  async (socket, random) => {
    const end = closed(socket.on("error", () => {}));
    socket.once("connect", () => setTimeout(() => socket.resetAndDestroy(), random.below(4)));
    await end;
    return false;
  },
  async (socket, random) => {
    const end = closed(socket.on("error", () => {}));
    let heard = false;
    socket.once("data", () => {
      heard = true;
      setTimeout(() => random.below(2) < 1 ? socket.resetAndDestroy() : socket.end(), random.below(20));
    });
    socket.once("connect", () => socket.write("hello"));
    await end;
    return heard;
  },
];
