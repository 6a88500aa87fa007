/**
 * `watchRefusals()`: ranks the clients that a limiter refuses most.
 *
 * @module
 */

import { type ClientKey, clientName } from "../core/client_key.ts";
import type { Counts } from "../core/counts.ts";
import type { DisposableLike } from "../core/disposable_like.ts";
import { internalsOf } from "../core/internals.ts";
import type { Limiter } from "../core/limiter.ts";
import type { Peer } from "../core/peer.ts";
import type { RefusalReason } from "../core/reasons.ts";
import { largest } from "../core/top.ts";
import type { RefusalRanking, RefusedClient } from "../core/top_clients.ts";
import { checkDeadline, checkOptions, checkWhole, typeError } from "../core/validate.ts";
import { observe } from "./observe.ts";
import { repeatUntilGarbage } from "./repeat_until_garbage.ts";
import { Tally } from "./tally.ts";

/** The options of `watchRefusals()`. */
export interface WatchRefusalsOptions {
  /**
   * The most clients to keep in each of two periods: 2 to 1,000,000. Each takes about 120 bytes. If more are refused,
   * counts may be too low, by twice the refusals of the period divided by this number at most.
   *
   * @default {2_000}
   */
  readonly clients?: number;
  /**
   * Milliseconds of a period, from 1. `top()` counts the refusals of the current period and the one before: those of the
   * last one to two periods.
   *
   * @default {60_000}
   */
  readonly period?: number;
}

/**
 * Makes `limiter.top().refused` rank the clients that the limiter refuses from now on, whatever refuses them: a listener, a
 * server or your own code.
 *
 * The memory is bounded, however many clients are refused. As long as those of a period are no more than `clients`, the
 * counts are exact. Beyond, a client's `refused` may be too low by its `error`, and who is refused more often than that
 * is in the ranking. Connections that have no client, such as those without an address, are in no ranking.
 *
 * Without it, a refusal stores nothing about its client. With it, a refusal costs one more look-up in a map. Its timer keeps
 * no process alive and ends with the limiter.
 *
 * @example The clients that are refused most
 * ```ts
 * import { Limiter, watchRefusals } from "@connlimit/connlimit";
 * import { assertEquals } from "@std/assert";
 *
 * const limiter = new Limiter({ maxPerClient: 0 });
 * using _ = watchRefusals(limiter);
 * for (const host of [7, 8, 7]) limiter.tryAccept(`192.0.2.${host}`);
 * assertEquals(limiter.top(1).refused, [{ client: "192.0.2.7", refused: 2, error: 0, reason: "client" }]);
 * ```
 *
 * @returns What ends it. If a limiter is watched already, both see one ranking with the options of the first call, until
 * both have ended.
 * @throws {TypeError} If `limiter` is not a limiter, for an unknown option, or for a value of the wrong type.
 * @throws {RangeError} For a number out of range.
 */
export function watchRefusals(limiter: Limiter, options: WatchRefusalsOptions = {}): DisposableLike {
  checkOptions("options", "option", options, ["clients", "period"]);
  const { clients = 2_000, period = 60_000 } = options;
  checkWhole("clients", clients, 2, 1_000_000);
  checkDeadline("period", period);
  if (period < 1) throw new RangeError(`period must be at least 1 millisecond, got ${period}`);
  const counts = (typeof limiter === "object" && limiter !== null ? internalsOf(limiter) : undefined)?.counts;
  if (counts === undefined) throw typeError("limiter", "a limiter", limiter);

  const watch = watched.get(counts) ?? start(limiter, counts, clients, period);
  watch.watches++;
  let ended = false;
  return {
    [Symbol.dispose]() {
      if (ended) return;
      ended = true;
      if (--watch.watches === 0) watch.end();
    },
  };
}

/** The ranking of a limiter, for all that watch. */
interface Watch {
  watches: number;
  readonly end: () => void;
}

const watched = new WeakMap<Counts, Watch>();

function start(limiter: Limiter, counts: Counts, clients: number, period: number): Watch {
  const ranking = new RefusedLately(clients);
  const add = (reason: RefusalReason, _peer: Peer | undefined, client: ClientKey | undefined) => {
    if (client !== undefined) ranking.add(client, reason);
  };
  const remove = observe(limiter, { admitted() {}, released() {}, refused: add, wouldRefuse: add });
  counts.ranking = ranking;
  // Bound, since a closure of this scope would hold the counts.
  const stop = repeatUntilGarbage(counts, period, ranking.rotate.bind(ranking));
  const watch = {
    watches: 0,
    end() {
      stop();
      remove();
      counts.ranking = undefined;
      watched.delete(counts);
    },
  };
  watched.set(counts, watch);
  return watch;
}

/** The clients refused most in this period and the one before. */
export class RefusedLately implements RefusalRanking {
  #now: Tally;
  #before: Tally;

  constructor(clients: number) {
    this.#now = new Tally(clients);
    this.#before = new Tally(clients);
  }

  /** Counts a refusal. */
  add(client: ClientKey, reason: RefusalReason): void {
    this.#now.add(client, reason);
  }

  /** Begins a period. */
  rotate(): void {
    [this.#now, this.#before] = [this.#before, this.#now];
    this.#now.clear();
  }

  top(n: number): RefusedClient[] {
    const [now, before] = [this.#now, this.#before];
    const error = now.error + before.error;
    return largest(this.#sums(), n).map(([client, refused]) => {
      const { reason } = (now.get(client) ?? before.get(client))!;
      return { client: clientName(client), refused, error, reason };
    });
  }

  *#sums(): IterableIterator<[ClientKey, number]> {
    const [now, before] = [this.#now, this.#before];
    for (const [client, { count }] of now) yield [client, count + (before.get(client)?.count ?? 0)];
    for (const [client, { count }] of before) if (now.get(client) === undefined) yield [client, count];
  }
}
