/**
 * Members of a limiter that its documentation does not show.
 *
 * @module
 */

import { INTERNALS, type LimiterInternals } from "./internals.ts";
import type { Limits } from "./limits.ts";

/** How Node and Bun, and how Deno, ask an object for what the console shows of it. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");
const DENO_INSPECT = Symbol.for("Deno.customInspect");

/** What the console shows. */
interface Shown {
  readonly open: number;
  readonly limits: Limits;
  stats(): { readonly clients: number };
}

type Inspect = (value: unknown, options?: unknown) => string;

/**
 * Adds them to a prototype: its internals, and what the console shows in place of the fields, which are private.
 *
 * @param internalsOf Has access to what is private.
 */
export function addHiddenMembers<T extends Shown>(
  prototype: T,
  internalsOf: (limiter: T) => LimiterInternals,
): void {
  Object.defineProperty(prototype, INTERNALS, {
    get(this: T): LimiterInternals {
      return internalsOf(this);
    },
  });
  const show = (limiter: T, inspect: Inspect, options: unknown) => {
    // The prototype itself has no counts.
    if (limiter === prototype) return "Limiter {}";
    const { open, limits } = limiter;
    return `Limiter ${inspect({ open, clients: limiter.stats().clients, limits }, options)}`;
  };
  Object.defineProperties(prototype, {
    [INSPECT]: {
      value(this: T, _depth: number, options: unknown, inspect: Inspect) {
        return show(this, inspect, options);
      },
    },
    [DENO_INSPECT]: {
      value(this: T, inspect: Inspect, options: unknown) {
        return show(this, inspect, options);
      },
    },
  });
}
