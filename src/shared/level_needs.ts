/**
 * The levels of a shared limit.
 *
 * @module
 */

import type { ClientKey } from "../core/client_key.ts";
import type { Counts } from "../core/counts.ts";
import type { Level } from "../core/levels_of.ts";

/** The levels that a store counts. Rates and fair shares are an instance's own. */
export const SHARED_LEVELS = {
  "client": "client",
  "aggregate": "aggregate",
  "total": "total",
  "network": "aggregate",
} as const;

/** The name of one. Its value in the table is the reason of a refusal. */
export type SharedLevel = keyof typeof SHARED_LEVELS;

/** What a connection needs of one level. */
export interface LevelNeed {
  readonly level: SharedLevel;
  readonly key: ClientKey | undefined;
  readonly max: number;
  /** It counts there whether there is room or not, since its network is exempt. */
  readonly exempt: boolean;
}

/** What a connection needs of the levels that a store counts, in the order in which they are checked. */
export function levelNeeds(levels: readonly Level[], counts: Counts, maxTotal: number): LevelNeed[] {
  const isExempt = levels.at(-1)?.level === "network";
  const maxOf = ({ level, key, max }: Level) => {
    if (!isExempt || max !== Infinity || level === "client") return max;
    return level === "total" ? maxTotal : counts.aggregatesOf(levels[0]!.key!).find((it) => it.key === key)!.max;
  };
  return levels.filter(({ level }) => level in SHARED_LEVELS).map((level) => ({
    level: level.level as SharedLevel,
    key: level.key,
    max: maxOf(level),
    exempt: isExempt && (level.level === "aggregate" || level.level === "total"),
  }));
}
