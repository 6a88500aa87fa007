/**
 * Slots and refusals of a limiter.
 *
 * @module
 */

import type { Limiter, Peer, Slot } from "@connlimit/connlimit";

/** The reason of a refusal, or `undefined` for a slot, which is given back at once. */
export function refusedFor(limiter: Limiter, peer: Peer): string | undefined {
  using admission = limiter.tryAccept(peer);
  return admission.admitted ? undefined : admission.reason;
}

/** Slots for `count` connections of a peer, all of which must be admitted. */
export function acceptAll(limiter: Limiter, peer: Peer, count: number): Slot[] {
  return Array.from({ length: count }, () => limiter.accept(peer));
}
