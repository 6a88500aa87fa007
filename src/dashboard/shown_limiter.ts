/**
 * A limiter on a dashboard.
 *
 * @module
 */

import { printable } from "../admission/printable.ts";
import { watchRefusals } from "../admission/watch_refusals.ts";
import { parseAddress } from "../core/address.ts";
import type { Awaitable } from "../core/admitter.ts";
import type { DisposableLike } from "../core/disposable_like.ts";
import type { Explanation } from "../core/explanation.ts";
import { internalsOf } from "../core/internals.ts";
import type { Limiter } from "../core/limiter.ts";
import type { LimiterStats } from "../core/limiter_stats.ts";
import type { Limits } from "../core/limits.ts";
import { type Peer, UNIX_PEER } from "../core/peer.ts";
import type { TopClients } from "../core/top_clients.ts";
import { History } from "./history.ts";
import type { DashboardLimiter, ShownLimits } from "./snapshot.ts";

/** What a dashboard can show: a `Limiter`, a shared one, or one of your own that has `stats()`. */
export interface LimiterLike {
  /** Its counters. */
  stats(): LimiterStats;
  /** Its limits. */
  readonly limits: Limits;
  /** Its clients. */
  top?(n?: number): TopClients;
  /** What it would answer. */
  explain?(peer: Peer): Awaitable<Explanation>;
  /** The limiter that counts here. It tells the clients where this one does not. */
  readonly local?: Limiter;
}

/** The most rules in `networks` that are shown. */
const MAX_NETWORKS = 50;

/**
 * The clients are ranked again no sooner than this many times the time that ranking them has taken, and no later than so many
 * milliseconds: a busy machine may make it seem long.
 */
const RANKING_SHARE = 100;
const RANKING_PAUSE_MS = 3_000;

/** Holds a limiter weakly: a page keeps no limiter that nobody uses any more. */
export class ShownLimiter {
  /** Its name, as it is shown. */
  readonly name: string;
  readonly #limiter: WeakRef<LimiterLike>;
  readonly #history: History;
  readonly #top: number;
  /** Ends the ranking of refusals. Absent where there is none. */
  readonly #watch: DisposableLike | undefined;
  #ranking: DashboardLimiter["top"] = null;
  /** When the clients may be ranked again. */
  #rankingDue = 0;

  constructor(name: string, limiter: LimiterLike, top: number, interval: number) {
    this.name = printable(name);
    this.#limiter = new WeakRef(limiter);
    this.#top = top;
    this.#history = new History(interval);
    const local = localOf(limiter);
    this.#watch = local && watchRefusals(local);
    this.#history.add(limiter.stats());
  }

  /** Whether the limiter is garbage. */
  get isGone(): boolean {
    return this.#limiter.deref() === undefined;
  }

  /** Takes a sample. */
  sample(): void {
    const limiter = this.#limiter.deref();
    if (limiter !== undefined) this.#history.add(limiter.stats());
  }

  /** Returns what is shown. `undefined` if the limiter is garbage. */
  view(): DashboardLimiter | undefined {
    const limiter = this.#limiter.deref();
    if (limiter === undefined) return undefined;
    const start = performance.now();
    if (start >= this.#rankingDue) {
      this.#ranking = this.#rank(limiter);
      const end = performance.now();
      this.#rankingDue = end + Math.min(RANKING_PAUSE_MS, RANKING_SHARE * (end - start));
    }
    return {
      name: this.name,
      stats: limiter.stats(),
      limits: shownLimits(limiter.limits),
      top: this.#ranking,
      history: this.#history.view(),
    };
  }

  /** Explains what the limiter would answer. `undefined` if it is garbage, or does not tell. */
  async explain(peer: Peer): Promise<Explanation | undefined> {
    const limiter = this.#limiter.deref();
    const explanation = await (limiter?.explain === undefined ? limiter?.local : limiter)?.explain?.(peer);
    return explanation && {
      ...explanation,
      client: explanation.client === null ? null : printable(explanation.client),
      levels: explanation.levels.map((level) => ({ ...level, name: printable(level.name) })),
    };
  }

  #rank(limiter: LimiterLike): DashboardLimiter["top"] {
    const local = localOf(limiter);
    const top = (local ?? limiter).top?.(this.#top);
    if (top === undefined) return null;
    const open = top.open.map(({ client, open }) => {
      const level = local?.explain(peerOf(client)).levels[0];
      return { client: printable(client), open, max: level === undefined ? limiter.limits.maxPerClient : level.max };
    });
    const refused = (top.refused ?? []).map((row) => ({ ...row, client: printable(row.client) }));
    return { open, refused };
  }

  /** Ends the ranking of refusals. */
  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
  }
}

/** The limiter of this package that counts for another one, or is that one itself. */
function localOf(limiter: LimiterLike): Limiter | undefined {
  return internalsOf(limiter) === undefined ? undefined : (limiter.local ?? limiter) as Limiter;
}

/** The peer of which a client has its name. Names do not tell keys from addresses; a key that looks like one is rare. */
export function peerOf(client: string): Peer {
  if (client === "unix") return UNIX_PEER;
  const address = client.replace(/\/\d+$/, "");
  return parseAddress(address) === undefined ? { key: client } : address;
}

function shownLimits(limits: Limits): ShownLimits {
  const networks = Object.entries(limits.networks);
  return {
    ...limits,
    networks: Object.fromEntries(networks.slice(0, MAX_NETWORKS)),
    networkCount: networks.length,
  };
}
