/**
 * `observe()`: several observers on one limiter.
 *
 * @module
 */

import { internalsOf } from "../core/internals.ts";
import type { Limiter } from "../core/limiter.ts";
import type { LimiterObserver } from "../core/observer.ts";

const observersOf = new WeakMap<object, readonly LimiterObserver[]>();

/** Calls an observer for whatever a limiter does from now on. Returns what ends that. */
export function observe(limiter: Limiter, observer: LimiterObserver): () => void {
  const { counts } = internalsOf(limiter)!;
  const set = (observers: readonly LimiterObserver[]) => {
    observersOf.set(counts, observers);
    counts.observer = fanOut(observers);
  };
  set([...observersOf.get(counts) ?? [], observer]);
  return () => set(observersOf.get(counts)!.filter((other) => other !== observer));
}

/** One observer that calls several. */
function fanOut(observers: readonly LimiterObserver[]): LimiterObserver | undefined {
  if (observers.length < 2) return observers[0];
  return {
    admitted: (slot) => observers.forEach((observer) => observer.admitted(slot)),
    released: (slot) => observers.forEach((observer) => observer.released(slot)),
    refused: (reason, peer, client) => observers.forEach((observer) => observer.refused(reason, peer, client)),
    wouldRefuse: (reason, peer, client) =>
      observers.forEach((observer) => observer.wouldRefuse?.(reason, peer, client)),
  };
}
