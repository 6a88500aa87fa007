/**
 * The figures of the honest clients.
 *
 * @module
 */

/** What became of attempts of one kind. */
export interface Attempts {
  attempts: number;
  served: number;
  /** Milliseconds until they were, of those that are timed. */
  times: number[];
  /** How many failed, by how. */
  failures: Record<string, number>;
}

/** By those who are connected, and by those who come. */
export interface Seen {
  readonly established: Attempts;
  readonly fresh: Attempts;
}

function nothing(): Attempts {
  return { attempts: 0, served: 0, times: [], failures: {} };
}

/** No figures yet. */
export function nothingSeen(): Seen {
  return { established: nothing(), fresh: nothing() };
}

/** Adds figures to others; their times only if they are timed. */
export function addSeen(sum: Seen, more: Seen, timed = true): void {
  for (const kind of ["established", "fresh"] as const) {
    sum[kind].attempts += more[kind].attempts;
    sum[kind].served += more[kind].served;
    if (timed) sum[kind].times.push(...more[kind].times);
    for (const [how, count] of Object.entries(more[kind].failures)) {
      sum[kind].failures[how] = (sum[kind].failures[how] ?? 0) + count;
    }
  }
}
