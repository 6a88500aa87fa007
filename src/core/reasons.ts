/**
 * Every reason for a refusal, said once: types, counters, errors and HTTP responses derive from this table.
 *
 * @module
 */

/**
 * Every reason for a refusal. `limit` marks those that end when another connection closes. `status` is the HTTP status that
 * suits it: `429` where one client has too many, `503` where all together have, `403` where no wait helps. (RFC 6585,
 * section 4; RFC 9110, sections 15.5.4 and 15.6.4)
 */
export const REASONS = {
  "client": { limit: true, status: 429 },
  "aggregate": { limit: true, status: 429 },
  "total": { limit: true, status: 503 },
  "blocked": { limit: false, status: 403 },
  "unknown-address": { limit: false, status: 403 },
  "pending": { limit: true, status: 503 },
  "timeout": { limit: false, status: 503 },
  "unavailable": { limit: false, status: 503 },
} as const;

/**
 * Why a connection may not open:
 *
 * - `"client"`: its client is at `maxPerClient`;
 * - `"aggregate"`: an aggregate that its client belongs to is full;
 * - `"total"`: `maxTotal` connections are open;
 * - `"blocked"`: a rule in `networks` with `maxPerClient: 0` covers it;
 * - `"unknown-address"`: it has no address, or nothing that can be read as one;
 * - `"pending"`: too many connections wait for a decision, where a decision takes time;
 * - `"timeout"`: the decision took too long;
 * - `"unavailable"`: no decision could be had.
 */
export type RefusalReason = keyof typeof REASONS;

/** A record with a value for each reason. */
export function byReason<T>(valueOf: (reason: RefusalReason) => T): Record<RefusalReason, T> {
  const entries = Object.keys(REASONS).map((reason) => [reason, valueOf(reason as RefusalReason)]);
  return Object.fromEntries(entries);
}
