/**
 * Who counts connections in process: this library, and what a user would take in its place.
 *
 * Each admits one connection of a client at once, and gives a connection's place back when it has ended.
 *
 * @module
 */

import { Sema } from "async-sema";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { Limiter, type Slot } from "../../mod.ts";
import { mapBaseline } from "../lib/map_baseline.ts";
import type { Family } from "./client_addresses.ts";

/** Counts connections of clients that are numbered, and that have addresses. */
export interface Counter {
  /** Whether the client's connection is admitted. */
  accept(client: number, ip: string): boolean;
  /** Gives the connection's place back. */
  release(client: number): void;
}

/** The same, where it has to be waited for. */
export interface AsyncCounter {
  readonly waits: true;
  accept(client: number, ip: string): Promise<boolean>;
  release(client: number): Promise<void>;
}

/** A name, by which figures are known. */
export type SubjectName =
  | "hand-written map"
  | "connlimit"
  | "async-sema"
  | "rate-limiter-flexible";

/** How each is made, for so many clients. */
export const SUBJECTS: Readonly<
  Record<SubjectName, (clients: number) => Counter | AsyncCounter>
> = {
  "hand-written map": byHand,
  "connlimit": byLimiter,
  "async-sema": bySemaphores,
  "rate-limiter-flexible": byRateLimiter,
};

/** Who is measured with which addresses. What is keyed by text does not care, so that one of them shows it. */
export const MEASURED: Readonly<Record<Family, readonly SubjectName[]>> = {
  IPv4: ["hand-written map", "connlimit", "async-sema", "rate-limiter-flexible"],
  IPv6: ["hand-written map", "connlimit"],
};

function byHand(clients: number): Counter {
  const tryAccept = mapBaseline(1);
  const frees = new Array<(() => void) | undefined>(clients);
  return {
    accept(client, ip) {
      const free = tryAccept(ip);
      if (free === undefined) return false;
      frees[client] = free;
      return true;
    },
    release(client) {
      frees[client]!();
      frees[client] = undefined;
    },
  };
}

/** By a limiter, which admits one connection of each client unless another is given. */
export function byLimiter(clients: number, limiter: Limiter = new Limiter({ maxPerClient: 1 })): Counter {
  const slots = new Array<Slot | undefined>(clients);
  return {
    accept(client, ip) {
      const admission = limiter.tryAccept(ip);
      if (!admission.admitted) return false;
      slots[client] = admission;
      return true;
    },
    release(client) {
      slots[client]!.release();
      slots[client] = undefined;
    },
  };
}

/**
 * A semaphore for each client. Of `async-sema` and `p-limit` the former fits better: `tryAcquire()` tells at once whether
 * there is room, where a limiter of `p-limit` takes functions, and lets those that find no room wait.
 *
 * A client's semaphore stays for ever, for it does not tell whether somebody holds it. Who counts that beside it has
 * written the map of counts, and needs the semaphore no more.
 */
function bySemaphores(clients: number): Counter {
  const semaphores = new Map<string, Sema>();
  const ips = new Array<string | undefined>(clients);
  return {
    accept(client, ip) {
      let semaphore = semaphores.get(ip);
      if (semaphore === undefined) {
        semaphore = new Sema(1);
        semaphores.set(ip, semaphore);
      }
      if (semaphore.tryAcquire() === undefined) return false;
      ips[client] = ip;
      return true;
    },
    release(client) {
      semaphores.get(ips[client]!)!.release();
      ips[client] = undefined;
    },
  };
}

/**
 * `rate-limiter-flexible` counts events within a time. It counts what is open where nothing expires (`duration: 0`; with
 * any other, open connections are forgotten after that time), and each point is given back: the refused attempts' too,
 * which it counts like the others.
 *
 * A client's record stays for ever. To delete it where nothing is left of it would need an `await` between reading the
 * count and deleting, in which another connection may come and then goes uncounted.
 */
function byRateLimiter(clients: number): AsyncCounter {
  const limiter = new RateLimiterMemory({ points: 1, duration: 0 });
  const ips = new Array<string | undefined>(clients);
  return {
    waits: true,
    async accept(client, ip) {
      try {
        await limiter.consume(ip);
        ips[client] = ip;
        return true;
      } catch {
        await limiter.reward(ip);
        return false;
      }
    },
    async release(client) {
      await limiter.reward(ips[client]!);
      ips[client] = undefined;
    },
  };
}
