/**
 * The reasons for refusals in one table. Types, counters, errors and HTTP responses derive from it.
 *
 * @module
 */

/**
 * Every reason for a refusal. `limit` marks the reasons that may pass when another connection closes, or with time. `status` is the
 * HTTP status of the reason: `429` if the client has too many connections, `503` if the server has, `403` if waiting
 * does not help. (RFC 6585, section 4; RFC 9110, sections 15.5.4 and 15.6.4)
 */
export const REASONS = {
  "client": { limit: true, status: 429 },
  "aggregate": { limit: true, status: 429 },
  "total": { limit: true, status: 503 },
  "fair-share": { limit: true, status: 429 },
  "rate": { limit: true, status: 429 },
  "blocked": { limit: false, status: 403 },
  "unknown-address": { limit: false, status: 403 },
  "pending": { limit: true, status: 503 },
  "timeout": { limit: false, status: 503 },
  "unavailable": { limit: false, status: 503 },
  "untrusted-peer": { limit: false, status: 403 },
  "proxy-header": { limit: false, status: 403 },
} as const;

/**
 * Why a connection is refused:
 *
 * - `"client"`: its client has `maxPerClient` open connections;
 * - `"aggregate"`: one of its client's aggregates is full;
 * - `"total"`: `maxTotal` connections are open;
 * - `"fair-share"`: its client holds its share of what is free;
 * - `"rate"`: its client, or one of its aggregates, opens connections too fast;
 * - `"blocked"`: its address matches a rule in `networks` with `maxPerClient: 0`;
 * - `"unknown-address"`: its peer has no address, or an invalid one;
 * - `"pending"`: too many connections wait for a decision, where a decision takes time;
 * - `"timeout"`: the decision took too long;
 * - `"unavailable"`: no decision could be had;
 * - `"untrusted-peer"`: its peer is not a trusted proxy, where clients come through proxies only;
 * - `"proxy-header"`: its proxy has sent no valid header of the PROXY protocol.
 */
export type RefusalReason = keyof typeof REASONS;

/** Builds a record with a value for each reason. */
export function byReason<T>(valueOf: (reason: RefusalReason) => T): Record<RefusalReason, T> {
  const reasons = Object.keys(REASONS) as RefusalReason[];
  return Object.fromEntries(reasons.map((reason) => [reason, valueOf(reason)])) as Record<RefusalReason, T>;
}
