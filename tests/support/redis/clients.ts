/**
 * The clients of Redis that the documentation names, each with the function that sends its commands.
 *
 * @module
 */

import { isBun } from "../platform.ts";

/** Sends a command. `key` is the only key in it. */
export type Send = (args: readonly string[], key: string) => Promise<unknown>;

/** A client that is connected. */
export interface ConnectedClient extends AsyncDisposable {
  readonly send: Send;
}

/** Where and how a client connects. */
export interface ClientOptions {
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
}

/** Connects a client. */
export type Connect = (options: ClientOptions) => Promise<ConnectedClient>;

const host = "127.0.0.1";

/** `redis`, which is also called node-redis. */
async function redis({ port, ...user }: ClientOptions): Promise<ConnectedClient> {
  const { createClient } = await import("redis");
  const client = createClient({ socket: { host, port }, disableOfflineQueue: true, ...user });
  client.on("error", () => {});
  await client.connect();
  return {
    send: (args) => client.sendCommand([...args]),
    // deno-lint-ignore require-await -- its end is not awaited: it waits for replies that may never come
    [Symbol.asyncDispose]: async () => client.destroy(),
  };
}

async function redisCluster({ port, ...user }: ClientOptions): Promise<ConnectedClient> {
  const { createCluster } = await import("redis");
  const cluster = createCluster({ rootNodes: [{ socket: { host, port } }], defaults: user });
  cluster.on("error", () => {});
  await cluster.connect();
  return {
    send: (args, key) => cluster.sendCommand(key, false, [...args]),
    // deno-lint-ignore require-await -- as above
    [Symbol.asyncDispose]: async () => cluster.destroy(),
  };
}

const DISCONNECT_MS = 50;
/** The check asks for `INFO`, which users with few permissions may not. */
const ONLY_NOW = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  enableReadyCheck: false,
  disconnectTimeout: DISCONNECT_MS,
} as const;

/** On a busy machine its masters take their time to say which slots they have. */
const CLUSTER = { lazyConnect: true, slotsRefreshTimeout: 10_000 } as const;

async function ioredis({ port, ...user }: ClientOptions): Promise<ConnectedClient> {
  const { Redis } = await import("ioredis");
  return await started(new Redis({ host, port, lazyConnect: true, ...ONLY_NOW, ...user }));
}

async function ioredisCluster({ port, ...user }: ClientOptions): Promise<ConnectedClient> {
  const { Cluster } = await import("ioredis");
  return await started(
    new Cluster([{ host, port }], { ...CLUSTER, redisOptions: { disconnectTimeout: DISCONNECT_MS, ...user } }),
  );
}

async function iovalkey({ port, ...user }: ClientOptions): Promise<ConnectedClient> {
  const { Redis } = await import("iovalkey");
  return await started(new Redis({ host, port, lazyConnect: true, ...ONLY_NOW, ...user }));
}

async function iovalkeyCluster({ port, ...user }: ClientOptions): Promise<ConnectedClient> {
  const { Cluster } = await import("iovalkey");
  return await started(
    new Cluster([{ host, port }], { ...CLUSTER, redisOptions: { disconnectTimeout: DISCONNECT_MS, ...user } }),
  );
}

/** What `ioredis` and `iovalkey` have in common. */
interface IoClient {
  readonly status: string;
  on(event: "error" | "end", listener: () => void): unknown;
  connect(): Promise<unknown>;
  call(command: string, ...args: string[]): Promise<unknown>;
  disconnect(): void;
}

async function started(client: IoClient): Promise<ConnectedClient> {
  client.on("error", () => {});
  await client.connect();
  return {
    send: ([command, ...args]) => client.call(command!, ...args),
    async [Symbol.asyncDispose]() {
      if (client.status === "end") return;
      // Until its end, or where it was about to connect until its deadline, a timer of its own runs.
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 2 * DISCONNECT_MS);
        client.on("end", () => {
          clearTimeout(timer);
          resolve();
        });
        client.disconnect();
      });
    },
  };
}

/** What is used of `Bun.RedisClient`. */
interface BunRedisClient {
  connect(): Promise<void>;
  send(command: string, args: string[]): Promise<unknown>;
  close(): void;
}

async function bun({ port, username = "", password = "" }: ClientOptions): Promise<ConnectedClient> {
  const { RedisClient } = (globalThis as unknown as {
    Bun: { RedisClient: new (url: string, options: object) => BunRedisClient };
  }).Bun;
  const user = username === "" ? "" : `${username}:${password}@`;
  const options = { enableOfflineQueue: false, maxRetries: 1_000_000 };
  const client = new RedisClient(`redis://${user}${host}:${port}`, options);
  await client.connect();
  return {
    send: ([command, ...args]) => client.send(command!, args),
    // deno-lint-ignore require-await -- it has none
    [Symbol.asyncDispose]: async () => client.close(),
  };
}

/** The clients of one server that work on this runtime. */
export const CLIENTS: Readonly<Record<string, Connect>> = {
  redis,
  ioredis,
  iovalkey,
  ...isBun ? { "Bun.RedisClient": bun } : {},
};

/** The clients of a Cluster that work on this runtime. */
export const CLUSTER_CLIENTS: Readonly<Record<string, Connect>> = {
  redis: redisCluster,
  ioredis: ioredisCluster,
  iovalkey: iovalkeyCluster,
};
