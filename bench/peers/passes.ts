/**
 * Passes over all clients, by those who count at once and by those who have to be waited for.
 *
 * @module
 */

import type { AsyncCounter, Counter } from "./counting_subjects.ts";

/** Passes over all clients, whose addresses are given for one pass after the other. */
export interface Passes {
  /** Opens a connection of each client. Tells how many were admitted in all passes. */
  accept(ips: readonly string[]): number | Promise<number>;
  /** Ends a connection of each client. */
  release(): void | Promise<void>;
  /** One after the other. Tells the same. */
  acceptAndRelease(ips: readonly string[]): number | Promise<number>;
}

/** Clients leave in another order than they came: in steps of this, a prime, each is reached once. */
const STEP = 7919;

const barrier = new Int32Array(new SharedArrayBuffer(4));

/**
 * Ends what the processor has begun before it begins more. In a server, system calls lie between two connections; a bare
 * loop over look-ups has a dozen of their cache misses under way at once, and shows a fifth of what one of them takes.
 */
function endOfOperation(): void {
  Atomics.add(barrier, 0, 1);
}

/** Passes by who answers at once. */
export function passes(counter: Counter, clients: number): Passes {
  const step = STEP % clients;
  function acceptFrom(start: number, ips: readonly string[]): number {
    let admitted = 0;
    for (let client = 0; client < clients; client++) {
      if (counter.accept(client, ips[start + client]!)) admitted++;
      endOfOperation();
    }
    return admitted;
  }
  function release(): void {
    for (let i = 0, client = 0; i < clients; i++) {
      counter.release(client);
      endOfOperation();
      if ((client += step) >= clients) client -= clients;
    }
  }
  return {
    accept(ips) {
      let admitted = 0;
      for (let start = 0; start < ips.length; start += clients) {
        admitted += acceptFrom(start, ips);
      }
      return admitted;
    },
    release,
    acceptAndRelease(ips) {
      let admitted = 0;
      for (let start = 0; start < ips.length; start += clients) {
        admitted += acceptFrom(start, ips);
        release();
      }
      return admitted;
    },
  };
}

/** Passes by who has to be waited for. Nothing else is, and so the loops stand here once more. */
export function asyncPasses(counter: AsyncCounter, clients: number): Passes {
  const step = STEP % clients;
  return {
    async accept(ips) {
      let admitted = 0;
      for (let start = 0; start < ips.length; start += clients) {
        for (let client = 0; client < clients; client++) {
          if (await counter.accept(client, ips[start + client]!)) admitted++;
          endOfOperation();
        }
      }
      return admitted;
    },
    async release() {
      for (let i = 0, client = 0; i < clients; i++) {
        await counter.release(client);
        endOfOperation();
        if ((client += step) >= clients) client -= clients;
      }
    },
    async acceptAndRelease(ips) {
      let admitted = 0;
      for (let start = 0; start < ips.length; start += clients) {
        for (let client = 0; client < clients; client++) {
          if (await counter.accept(client, ips[start + client]!)) admitted++;
          endOfOperation();
        }
        for (let i = 0, client = 0; i < clients; i++) {
          await counter.release(client);
          endOfOperation();
          if ((client += step) >= clients) client -= clients;
        }
      }
      return admitted;
    },
  };
}
