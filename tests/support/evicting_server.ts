/**
 * Servers of nothing, which close connections in favour of others: for what `whenFull: "evict"` does to the counts.
 *
 * @module
 */

import { assertStrictEquals } from "@std/assert";
import type { Eviction, Limiter, Peer, Slot } from "@connlimit/connlimit";
import { Evictor } from "../../src/admission/evictor.ts";

/** A connection that is open. */
export interface Open {
  readonly slot: Slot;
  /** A number that later ones exceed. */
  readonly number: number;
}

export interface Setup {
  readonly evictionsPerSecond?: number;
  readonly onEvicted?: (eviction: Eviction, conn: Open) => unknown;
  readonly onError?: (error: unknown) => unknown;
  /** Whether closing releases the slot at once. */
  readonly slow?: boolean;
}

let numbers = 0;

/** A server. Several may share a limiter. */
export class EvictingServer {
  readonly open: Set<Open> = new Set();
  /** The evictions, with the number of the connection that was closed. */
  readonly evictions: (Eviction & { readonly number: number })[] = [];
  readonly evictor: Evictor<Open>;

  constructor(limiter: Limiter, { evictionsPerSecond = Infinity, onEvicted, onError, slow = false }: Setup = {}) {
    this.evictor = Evictor.of<Open>(
      {
        whenFull: "evict",
        evictionsPerSecond,
        ...onError && { onError },
        onEvicted: (eviction: Eviction, conn: Open) => {
          this.evictions.push({ ...eviction, number: conn.number });
          return onEvicted?.(eviction, conn);
        },
      },
      limiter,
      {
        close: (conn) => {
          assertStrictEquals(this.open.delete(conn), true);
          if (!slow) conn.slot.release();
        },
      },
    )!;
  }

  /** Offers a connection. */
  offer(peer: Peer): Open | undefined {
    const admission = this.evictor.tryAccept(peer);
    if (!admission.admitted) return undefined;
    const conn = { slot: admission, number: ++numbers };
    this.open.add(conn);
    this.evictor.enter(admission, conn);
    return conn;
  }

  /** Offers connections. Returns those that are admitted. */
  offers(peer: Peer, count: number): Open[] {
    return Array.from({ length: count }, () => this.offer(peer)).filter((conn) => conn !== undefined);
  }

  /** Closes a connection, which must be open. */
  close(conn: Open): void {
    assertStrictEquals(this.open.delete(conn), true);
    conn.slot.release();
  }

  /** Closes all of them. */
  closeAll(): void {
    for (const conn of this.open) this.close(conn);
  }

  /** The clients whose connections were closed, in order. */
  get victims(): string[] {
    return this.evictions.map(({ client }) => client);
  }
}
