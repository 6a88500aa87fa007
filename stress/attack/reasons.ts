/**
 * Why figures fall short, where that is known.
 *
 * @module
 */

import { quantile } from "../../bench/lib/statistics.ts";
import type { AttackName, Mode } from "./attacks.ts";
import type { Attempts } from "./seen.ts";
import type { Outcome } from "./round.ts";
import { type Figure, MOST_MILLISECONDS, type Row } from "./judge.ts";

const REQUESTS_ONLY = "`limitRequests()` limits requests, not connections, and connections take the descriptors; " +
  "`limitServer()` with `node:http` limits those";

/** What is out of the library's reach, by server and attack. */
const OUT_OF_REACH: Readonly<Record<string, Partial<Record<AttackName, string>>>> = {
  "Deno.serve": { "descriptors": `${REQUESTS_ONLY}. \`Deno.serve\` ends with the first accept that fails` },
  "Bun.serve": { "descriptors": REQUESTS_ONLY },
};

/**
 * The reason, in words for the report, if there is one that is known.
 *
 * @param rows The same server's others, to compare with.
 */
export function reasonFor(row: Row, figure: Figure, rows: readonly Row[]): string | undefined {
  const known = OUT_OF_REACH[row.server]?.[row.attack];
  if (known !== undefined) return known;
  return figure === "established" ? slownessOf(row, rows) : undefined;
}

/** What is as slow without the library, or without an attack; or that there was more of it. */
function slownessOf({ attack, outcome }: Row, rows: readonly Row[]): string | undefined {
  const p99 = ({ times }: Attempts) => quantile(times, 0.99);
  const find = (attack: AttackName, mode: Mode) =>
    rows.find((row) => row.attack === attack && row.mode === mode)?.outcome;
  const of = (outcome: Outcome | undefined) => outcome === undefined ? 0 : p99(outcome.during.established);
  const bare = find(attack, "bare");
  const own = p99(outcome.during.established);
  const likewise = [
    [p99(outcome.before.established), "without an attack"],
    [of(find("next door", "limited")), "while another server was attacked"],
    [of(bare), "for the bare server"],
  ] as const;
  // What is far less is no explanation.
  const alike = likewise.filter(([milliseconds]) => milliseconds > MOST_MILLISECONDS && milliseconds > own / 2);
  const reasons = alike.length === 0
    ? []
    : [`p99 was ${alike.map(([milliseconds, when]) => `${milliseconds.toFixed(0)} ms ${when}`).join(", ")}`];
  const more = outcome.attempts / (bare?.attempts ?? Infinity);
  if (more >= 2) {
    reasons.push(`it had ${more.toFixed(0)} times the bare server's attempts, as who is refused comes back at once`);
  }
  return reasons.length === 0 ? undefined : reasons.join("; ");
}
