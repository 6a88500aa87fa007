/**
 * `explain()` of a shared limiter.
 *
 * @module
 */

import { internalsOf } from "../core/internals.ts";
import type { Limiter } from "../core/limiter.ts";
import type { Peer } from "../core/peer.ts";
import type { RefusalReason } from "../core/reasons.ts";
import { type LevelNeed, levelNeeds, SHARED_LEVELS } from "./level_needs.ts";
import type { SharedExplanation } from "./shared_explanation.ts";
import type { Sharing } from "./sharing.ts";
import { storeKey } from "./store_key.ts";

/** What is known of the limiter that is asked. */
export interface Explained {
  readonly local: Limiter;
  readonly sharing: Sharing;
  readonly isClosed: boolean;
  /** Whether so many connections wait for the store that no more may. */
  readonly isBusy: boolean;
  readonly onStoreDown: "local" | "open" | "closed";
}

/** What the store counts, by the names of its keys. What is not there is not known. */
type Totals = ReadonlyMap<string, number>;

/** Explains what a shared limiter would answer to a peer. It asks the store, and changes nothing. It never rejects. */
export async function explainShared(peer: Peer, limiter: Explained): Promise<SharedExplanation> {
  const totals = await totalsOf(needsOf(peer, limiter), limiter);
  // All that may have changed meanwhile is looked at now.
  const explanation = limiter.local.explain(peer);
  const { dryRun } = limiter.local.limits;
  const needs = needsOf(peer, limiter);
  const why = limiter.isClosed ? "unavailable" : reasonOf(explanation.reason ?? explanation.wouldRefuse, needs, {
    ...{ limiter, totals, here: explanation.levels[0] },
  });
  // Nothing is admitted once it is closed, in a dry run neither.
  const isDry = dryRun && !limiter.isClosed;
  return {
    ...explanation,
    admitted: why === null || isDry,
    reason: isDry ? null : why,
    wouldRefuse: isDry ? why : null,
    levels: explanation.levels.map((level) => {
      const need = needs.find((need) => need.level === level.level && need.name === level.name);
      if (need === undefined) return { ...level, openEverywhere: null };
      const room = level.room && hasRoom(need, limiter, totals) !== false;
      return { ...level, room, openEverywhere: totals.get(need.storeKey) ?? null };
    }),
    status: limiter.sharing.health.status,
  };
}

/** What a connection needs of a level, with the names of the level. */
type NamedNeed = LevelNeed & { readonly name: string; readonly storeKey: string };

function needsOf(peer: Peer, { local }: Explained): NamedNeed[] {
  const { counts, levelsOf } = internalsOf(local)!;
  const levels = levelsOf!(peer) ?? [];
  return levelNeeds(levels, counts, local.limits.maxTotal).map((need) => ({
    ...need,
    name: levels.find(({ level, key }) => level === need.level && key === need.key)!.name,
    storeKey: storeKey(need.level, need.key ?? ""),
  }));
}

/** Asks the store for all levels that it counts, unless it is known to be away. */
async function totalsOf(needs: readonly NamedNeed[], { sharing, isClosed }: Explained): Promise<Totals> {
  const totals = new Map<string, number>();
  const { health, questions, store, tables } = sharing;
  if (isClosed || health.status === "down") return totals;
  const counted = needs.filter(({ max }) => max !== Infinity);
  // What closed here while the store was away may still be counted there.
  for (const { level, key } of counted) tables[level].find(key)?.pump();
  const asked = counted.map(({ storeKey }) =>
    new Promise<void>((resolve) => {
      const answered = (total: number) => {
        totals.set(storeKey, total);
        resolve();
      };
      questions.ask(() => store.total(storeKey), answered, () => resolve());
    })
  );
  await Promise.all(asked);
  return totals;
}

/** Why a connection would be refused, in the order in which a shared limiter decides. */
function reasonOf(
  local: RefusalReason | null,
  needs: readonly NamedNeed[],
  { limiter, totals, here }: { limiter: Explained; totals: Totals; here: { readonly max: number | null } | undefined },
): RefusalReason | null {
  const { sharing, onStoreDown } = limiter;
  const isDown = sharing.health.status === "down";
  const isOpen = isDown && onStoreDown === "open" && here !== undefined && here.max !== 0;
  if (local !== null && !isOpen) return local;
  const full = needs.find((need) =>
    !need.exempt && need.max !== Infinity && sharing.tables[need.level].isFull(need.key)
  );
  if (full !== undefined) return SHARED_LEVELS[full.level];
  const asked = needs.filter((need) => !takes(need, sharing));
  if (asked.length === 0) return null;
  if (isDown) return onStoreDown === "closed" ? "unavailable" : null;
  if (limiter.isBusy) return "pending";
  for (const need of asked) {
    const room = hasRoom(need, limiter, totals);
    if (room === undefined && onStoreDown === "closed") return "unavailable";
    if (room === false) return SHARED_LEVELS[need.level];
  }
  return null;
}

/** Whether a level would count one more without asking the store. */
function takes({ level, key, max, exempt }: LevelNeed, { tables }: Sharing): boolean {
  return max === Infinity || exempt || tables[level].find(key)?.wouldTake(max) === true;
}

/** Whether a level has room for one more everywhere. `undefined` if the store has not said. */
function hasRoom(need: NamedNeed, { sharing }: Explained, totals: Totals): boolean | undefined {
  if (takes(need, sharing)) return true;
  const table = sharing.tables[need.level];
  if (table.isFull(need.key)) return false;
  const total = totals.get(need.storeKey);
  if (total === undefined) return undefined;
  return table.find(need.key)?.wouldTake(need.max, total) ?? total < need.max;
}
