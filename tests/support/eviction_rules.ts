/**
 * What holds of `whenFull: "evict"` on every adapter and runtime.
 *
 * @module
 */

import { connect } from "node:net";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Eviction, EvictionOptions, Limiter, LimitsOptions } from "@connlimit/connlimit";
import { type Adapter, type Options, pass, type Server, type Task } from "./deadline_trial.ts";
import type { Rules } from "./deadline_rules.ts";
import { type Client, connected, ended, eventually, openSockets, reply } from "./net.ts";
import { oneAddress } from "./platform.ts";
import { Relay } from "./relay.ts";

const [A, B, C, D] = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"] as const;

/** A server that closes connections in favour of others. */
class Trial implements AsyncDisposable {
  readonly evictions: Eviction[] = [];
  readonly errors: unknown[] = [];
  readonly adapter: Adapter;
  server!: Server;
  readonly #clients: Disposable[] = [];

  private constructor(adapter: Adapter) {
    this.adapter = adapter;
  }

  static async serve(
    adapter: Adapter,
    limits: LimitsOptions,
    { onEvicted, ...options }: EvictionOptions<never> = {},
    task: Task = "echo",
  ): Promise<Trial> {
    const trial = new Trial(adapter);
    const evicting: Options & EvictionOptions<never> = {
      whenFull: "evict",
      onError: (error) => trial.errors.push(error),
      onEvicted(eviction, conn) {
        trial.evictions.push(eviction);
        return onEvicted?.(eviction, conn);
      },
      ...options,
    };
    trial.server = await adapter.serve(evicting, task);
    trial.limiter.setLimits({ maxPerClient: Infinity, ...limits });
    return trial;
  }

  get limiter(): Limiter {
    return this.server.limiter;
  }

  /** A client that has been admitted. */
  async connect(address: string): Promise<Client> {
    const { admitted } = this.limiter.stats();
    const { secure = connected } = this.adapter;
    const client = await secure(this.server.connect(address));
    this.#clients.push(client);
    await eventually(() => this.limiter.stats().admitted > admitted, `${this.adapter.name}: a client to be admitted`);
    return client;
  }

  /** So many of them. */
  async crowd(address: string, size: number): Promise<Client[]> {
    const clients: Client[] = [];
    for (let i = 0; i < size; i++) clients.push(await this.connect(address));
    return clients;
  }

  /** Waits until a client is refused for the total. */
  async refused(address: string): Promise<void> {
    const { total } = this.limiter.stats().refusedBy;
    const client = this.keep(await connected(this.server.connect(address)));
    if (!this.adapter.keepsTls) await ended(client);
    await eventually(() => this.limiter.stats().refusedBy.total > total, `${this.adapter.name}: a refusal`);
  }

  /** Whether a client is served. */
  async serves(client: Client): Promise<boolean> {
    return await reply(client, "hello") === "hello";
  }

  keep<D extends Disposable>(client: D): D {
    this.#clients.push(client);
    return client;
  }

  closeClients(): void {
    for (const client of this.#clients) client[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closeClients();
    await eventually(() => this.limiter.open === 0, `${this.adapter.name}: no slot to be held`);
    await this.server[Symbol.asyncDispose]();
  }
}

/** What it does. */
export const EVICTS: Rules = {
  "closes the newest connection of who has most, and serves the newcomer": async (adapter) => {
    await using trial = await Trial.serve(adapter, { maxTotal: 4 });
    const { limiter } = trial;
    const [first, second, third] = await trial.crowd(A, 3);
    const other = await trial.connect(B);
    for (const client of [first!, second!, third!, other]) assert(await trial.serves(client));
    const closed = ended(third!);
    const newcomer = await trial.connect(C);
    assertEquals([limiter.open, limiter.stats().evicted, limiter.stats().refused], [4, 1, 0]);
    assertEquals(trial.evictions, [{ client: A, newcomer: C }]);
    await closed;
    for (const client of [newcomer, first!, second!, other]) assert(await trial.serves(client));
    // Nobody has two more than the next would have.
    await trial.refused(D);
    assertEquals([limiter.stats().evicted, limiter.stats().peak, trial.errors], [1, 4, []]);
  },

  "goes by the limits that are in force": async (adapter) => {
    await using trial = await Trial.serve(adapter, {
      maxTotal: 3,
      networks: { [`${A}/32`]: { maxPerClient: Infinity } },
    });
    const { limiter } = trial;
    await trial.crowd(A, 3);
    await trial.refused(B);
    assertEquals(trial.evictions, []);
    limiter.setLimits({ maxTotal: 3 });
    assert(await trial.serves(await trial.connect(B)));
    assertEquals(trial.evictions, [{ client: A, newcomer: B }]);
  },

  "keeps within its budget": async (adapter) => {
    await using trial = await Trial.serve(adapter, { maxTotal: 8 }, { evictionsPerSecond: 0 });
    await trial.crowd(A, 8);
    await trial.refused(B);
    assertEquals(trial.evictions, []);
  },

  "tells its hook, which may do anything": async (adapter) => {
    const acts: ((conn: Hooked) => unknown)[] = [
      (conn) => conn.write(new TextEncoder().encode("goodbye")),
      (conn) => (conn.close ?? conn.destroy ?? conn.end)!.call(conn),
      () => Promise.reject(new Error("rejected")),
      () => {
        throw new Error("thrown");
      },
    ];
    await using trial = await Trial.serve(adapter, { maxTotal: 12 }, {
      onEvicted: (_, conn) => acts.shift()!(conn as Hooked),
    });
    const clients = await trial.crowd(A, 12);
    for (const client of clients) assert(await trial.serves(client));
    const texts = clients.slice(-4).map(ended);
    for (const address of [B, C, D, "127.0.0.6"]) assert(await trial.serves(await trial.connect(address)));
    const said = (await Promise.all(texts)).reverse().map((text) => text.slice(0, 7));
    // Over TLS, a write is pending still.
    if (adapter.secure === undefined) assertEquals(said, ["goodbye", "", "", ""]);
    else assertEquals(said.slice(1), ["", "", ""]);
    await eventually(() => trial.errors.length === 2, "the errors to be reported");
    assertEquals(trial.errors.map((error) => (error as Error).message), ["rejected", "thrown"]);
    assertEquals([trial.limiter.open, trial.limiter.stats().evicted], [12, 4]);
  },

  "closes who takes nothing, with its descriptor": async (adapter) => {
    if (adapter.keepsTls) return;
    await using trial = await Trial.serve(adapter, { maxTotal: 3 }, {}, "flood");
    const { secure = connected } = adapter;
    // A TLS client must read to see the end of its connection.
    const reads = ({ socket }: Client) => adapter.secure && socket.resume();
    (await trial.crowd(A, 2)).forEach(reads);
    const relay = trial.keep(await Relay.to(() => trial.server.connect(A)));
    trial.keep(await secure(connect(relay.port, "127.0.0.1"))).socket.resume();
    await eventually(() => trial.limiter.open === 3, "the client behind the relay");
    relay.stop();
    // The longer, the fuller are the buffers. It must be closed in any case.
    await pass(150);
    const before = openSockets();
    reads(await trial.connect(B));
    assertEquals([trial.limiter.open, trial.limiter.openFor(A), trial.evictions.length], [3, 2, 1]);
    // The newcomer has two, and only the server has closed one.
    await eventually(() => openSockets() <= before + 1, "the descriptor to be closed");
    assertEquals(trial.errors, []);
  },
};

/** A connection, as hooks are given it. */
interface Hooked {
  write(data: Uint8Array): unknown;
  close?(): void;
  destroy?(): void;
  end?(): void;
}

/** The share of polite clients that are served beside hogs. */
export const CROWDS: Rules = {
  "serves all polite clients beside 20 hogs": async (adapter) => {
    if (oneAddress) return;
    const [HOGS, POLITE, WANTED, TOTAL] = [20, 25, 4, 200];
    await using trial = await Trial.serve(adapter, { maxTotal: TOTAL, maxPerClient: 50 }, {
      evictionsPerSecond: Infinity,
    });
    const { limiter } = trial;
    const address = (at: number) => `127.0.0.${2 + at}`;
    for (let i = 0; i < TOTAL / HOGS; i++) {
      await Promise.all(Array.from({ length: HOGS }, (_, at) => trial.connect(address(at))));
    }
    await eventually(() => limiter.open === TOTAL, "the hogs to have it all");
    // They go on.
    let over = false;
    const hogging = Array.from({ length: HOGS }, async (_, at) => {
      while (!over) {
        const client = trial.keep(await connected(trial.server.connect(address(at))));
        await (over ? client[Symbol.dispose]() : ended(client));
      }
    });
    const polite: Client[] = [];
    for (let i = 0; i < WANTED; i++) {
      polite.push(...await Promise.all(Array.from({ length: POLITE }, (_, at) => trial.connect(address(HOGS + at)))));
    }
    const served = await Promise.all(polite.map((client) => trial.serves(client)));
    over = true;
    trial.closeClients();
    await Promise.all(hogging);
    assertStrictEquals(served.filter(Boolean).length / (POLITE * WANTED), 1);
    const others = trial.evictions.filter(({ client }) => Number(client.split(".")[3]) >= 2 + HOGS);
    assertEquals([others, trial.errors, limiter.stats().peak], [[], [], TOTAL]);
  },
  "serves the polite, eight at a time, beside 20 hogs with a fair share, and closes nobody": async (adapter) => {
    if (oneAddress) return;
    const [HOGS, OFFERS, POLITE, WANTED] = [20, 16, 40, 4];
    await using trial = await Trial.serve(adapter, { maxTotal: 400, maxPerClient: 100, fairShare: true });
    const { limiter } = trial;
    const offer = async (at: number) => trial.keep(await connected(trial.server.connect(`127.0.0.${2 + at}`)));
    for (let i = 1; i <= OFFERS; i++) {
      await Promise.all(Array.from({ length: HOGS }, (_, at) => offer(at)));
      await eventually(() => limiter.stats().admitted + limiter.stats().refused === HOGS * i, "all to be judged");
    }
    const { open, refused, refusedBy } = limiter.stats();
    assert(refused > 0 && refused === refusedBy["fair-share"], `${refused} hogs' connections refused`);
    for (let first = 0; first < POLITE; first += 8) {
      const polite = await Promise.all(Array.from({ length: 8 * WANTED }, (_, i) => offer(HOGS + first + i % 8)));
      assertEquals(await Promise.all(polite.map((client) => trial.serves(client))), polite.map(() => true));
      polite.forEach((client) => client[Symbol.dispose]());
      await eventually(() => limiter.open === open, "the polite to be gone");
    }
    assertEquals([limiter.stats().refused, limiter.stats().evicted], [refused, 0]);
  },
};
