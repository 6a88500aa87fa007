/**
 * What holds of requests that wait until there is room, on every adapter and runtime.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter, type LimitsOptions, type RefusalReason } from "@connlimit/connlimit";
import type { WaitOptions } from "@connlimit/connlimit/http";
import { HttpClient } from "../../testing/http_client.ts";
import { aWhile, eventually } from "./net.ts";
import { withResolvers } from "./slow_admitter.ts";

/** The options that tests give, of whatever type. */
export type Options = WaitOptions & { readonly onRefused?: (refusal: { readonly reason: RefusalReason }) => void };

/** A server whose requests last until they are told to end. */
export interface Server extends AsyncDisposable {
  readonly port: number;
}

/** Serves, and answers a request with its path when the promise that `handle` returns resolves. */
export type Serve = (
  limiter: Limiter,
  options: Options,
  handle: (path: string) => Promise<unknown>,
) => Server | Promise<Server>;

class Trial implements AsyncDisposable {
  readonly limiter: Limiter;
  /** The paths of the requests that were admitted, in order. */
  readonly begun: string[] = [];
  readonly refused: string[] = [];
  readonly #ends = new Map<string, () => void>();
  readonly #clients: HttpClient[] = [];
  server!: Server;

  constructor(limits: LimitsOptions) {
    this.limiter = new Limiter({ maxPerClient: Infinity, ...limits });
  }

  static async of(serve: Serve, limits: LimitsOptions, options: WaitOptions = {}): Promise<Trial> {
    const trial = new Trial(limits);
    const given = {
      whenFull: "wait" as const,
      onRefused: ({ reason }: { reason: RefusalReason }) => void trial.refused.push(reason),
      ...options,
    };
    trial.server = await serve(trial.limiter, given, (path) => {
      trial.begun.push(path);
      const { promise, resolve } = withResolvers<void>();
      trial.#ends.set(path, resolve);
      return promise;
    });
    return trial;
  }

  async ask(path: string): Promise<HttpClient> {
    const client = await HttpClient.connect(this.server.port);
    this.#clients.push(client);
    client.send(`GET /${path}`);
    return client;
  }

  /** Lets a request end. */
  end(path: string): void {
    this.#ends.get(`/${path}`)!();
  }

  async pending(count: number): Promise<void> {
    await eventually(() => this.limiter.stats().pending === count, `${count} to wait`);
  }

  async began(...paths: string[]): Promise<void> {
    await eventually(() => this.begun.length >= paths.length, `${paths} to begin`);
    assertEquals(this.begun, paths.map((path) => `/${path}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.values()) end();
    for (const client of this.#clients) client[Symbol.dispose]();
    await eventually(() => this.limiter.stats().pending === 0, "nothing to wait");
    await this.server[Symbol.asyncDispose]();
    await eventually(() => this.limiter.open === 0, "no slot to be held");
  }
}

/** The rules, by what they say. */
export const WAITS: Readonly<Record<string, (serve: Serve) => Promise<void>>> = {
  "serves requests in the order in which they came, and no more at once than there is room for": async (serve) => {
    await using trial = await Trial.of(serve, { maxTotal: 2 });
    const clients: HttpClient[] = [];
    for (const path of ["a", "b", "c", "d", "e"]) {
      clients.push(await trial.ask(path));
      await eventually(() => trial.limiter.open + trial.limiter.stats().pending === clients.length, `${path} to come`);
    }
    await trial.began("a", "b");
    trial.end("b");
    await trial.began("a", "b", "c");
    assertStrictEquals((await clients[1]!.answer()).body, "/b");
    for (const path of ["a", "c"]) trial.end(path);
    await trial.began("a", "b", "c", "d", "e");
    for (const path of ["d", "e"]) trial.end(path);
    for (const [at, path] of [[0, "/a"], [2, "/c"], [3, "/d"], [4, "/e"]] as const) {
      assertStrictEquals((await clients[at]!.answer()).body, path);
    }
    const { admitted, refused, peak } = trial.limiter.stats();
    assertEquals([admitted, refused, peak, trial.refused], [5, 0, 2, []]);
  },

  "refuses at once whom the queue cannot take, and whom another limit refuses": async (serve) => {
    await using trial = await Trial.of(serve, { maxTotal: 1, maxPerClient: 2 }, { maxWaiting: 2 });
    await trial.ask("a");
    await trial.began("a");
    await trial.ask("b");
    await trial.pending(1);
    // Those who wait count at the other limits.
    assertStrictEquals((await (await trial.ask("c")).answer()).status, 429);
    trial.limiter.setLimits({ maxTotal: 1, maxPerClient: Infinity });
    await trial.ask("d");
    await trial.pending(2);
    assertStrictEquals((await (await trial.ask("e")).answer()).status, 503);
    assertEquals(trial.refused, ["client", "pending"]);
    trial.end("a");
    await trial.began("a", "b");
    trial.end("b");
    await trial.began("a", "b", "d");
  },

  "refuses who has waited for too long, which then never begins": async (serve) => {
    await using trial = await Trial.of(serve, { maxTotal: 1 }, { waitTimeout: 50 });
    await trial.ask("a");
    await trial.began("a");
    const since = performance.now();
    const { status } = await (await trial.ask("b")).answer();
    assert(performance.now() - since >= 48);
    assertEquals([status, trial.refused], [503, ["timeout"]]);
    trial.end("a");
    await eventually(() => trial.limiter.open === 0, "the first to end");
    await aWhile();
    await trial.began("a");
  },

  "admits when a limit is raised, and nobody while maxTotal is 0": async (serve) => {
    await using trial = await Trial.of(serve, { maxTotal: 0 });
    await trial.ask("a");
    await trial.pending(1);
    assertStrictEquals(trial.limiter.stats().admitted, 0);
    trial.limiter.setLimits({ maxTotal: 1 });
    await trial.began("a");
    assertEquals([trial.limiter.stats().pending, trial.limiter.stats().refused], [0, 0]);
  },

  "serves all of a crowd that is twenty times as large as there is room for": async (serve) => {
    const limiter = new Limiter({ maxTotal: 5, maxPerClient: Infinity });
    let most = 0;
    let now = 0;
    await using server = await serve(limiter, { whenFull: "wait" }, async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 1));
      now--;
    });
    const statuses = await Promise.all(Array.from({ length: 100 }, async () => {
      using client = await HttpClient.connect(server.port);
      client.send("GET /");
      return (await client.answer()).status;
    }));
    assertEquals(statuses.filter((status) => status !== 200), []);
    await eventually(() => limiter.open === 0, "no slot to be held");
    const { admitted, refused, pending } = limiter.stats();
    assertEquals([admitted, refused, pending], [100, 0, 0]);
    assert(most <= 5, `${most} at once`);
  },

  "says what cannot be had, and what to use instead": async (serve) => {
    const limiter = new Limiter();
    const refuses = (options: object, kind: typeof TypeError | typeof RangeError, message: string) =>
      assertThrows(() => void serve(limiter, options as Options, () => Promise.resolve()), kind, message);
    refuses({ whenFull: "evict" }, TypeError, 'whenFull must be "refuse" or "wait", got "evict": a request');
    refuses({ whenFull: "queue" }, TypeError, 'whenFull must be "refuse" or "wait", got "queue"');
    refuses({ whenFull: "wait", maxWaiting: 0 }, RangeError, "maxWaiting");
    refuses({ whenFull: "wait", waitTimeout: 0.5 }, RangeError, "waitTimeout");
    refuses({ maxWaiting: 3 }, TypeError, 'maxWaiting must be beside whenFull: "wait", got whenFull "refuse"');
    await Promise.resolve();
  },
};
