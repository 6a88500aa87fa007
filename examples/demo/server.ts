/**
 * The limited echo server, and a tally of what it did for each client.
 *
 * @module
 */

import { type LimitedListener, limitedListener, type Limiter } from "@connlimit/connlimit";

/** What became of one client's connections. */
export interface Tally {
  admitted: number;
  refused: number;
  /** The most that were open at once. */
  peak: number;
  /** Admissions that went above the limit then in force. There must be none. */
  aboveLimit: number;
}

/** An echo server that serves from the moment it is made. */
export class Server {
  readonly #limiter: Limiter;
  readonly #listeners: readonly LimitedListener<Deno.TcpConn>[];
  readonly #tallies = new Map<string, Tally>();
  /** Connections that were still open when the time for a graceful stop was over. */
  closedByShutdown = 0;

  constructor(listeners: readonly Deno.TcpListener[], limiter: Limiter) {
    this.#limiter = limiter;
    this.#listeners = listeners.map((listener) =>
      limitedListener(listener, limiter, {
        onRefused: (_, conn) => void this.tallyOf(conn.remoteAddr.hostname).refused++,
      })
    );
    for (const listener of this.#listeners) this.#serve(listener);
  }

  async #serve(listener: LimitedListener<Deno.TcpConn>): Promise<void> {
    for await (const conn of listener) {
      this.#count(conn.remoteAddr.hostname);
      echo(conn);
    }
  }

  #count(address: string): void {
    const open = this.#limiter.openFor(address);
    const tally = this.tallyOf(address);
    tally.admitted++;
    tally.peak = Math.max(tally.peak, open);
    if (open > this.#limiter.limits.maxPerClient) tally.aboveLimit++;
  }

  /** What became of the connections of the client at this address. */
  tallyOf(address: string): Tally {
    let tally = this.#tallies.get(address);
    if (tally === undefined) {
      tally = { admitted: 0, refused: 0, peak: 0, aboveLimit: 0 };
      this.#tallies.set(address, tally);
    }
    return tally;
  }

  /** Connections that were gone before they could be accepted. They have no address any more, so they are nobody's. */
  get acceptErrors(): number {
    return this.#listeners.reduce((sum, { acceptErrors }) => sum + acceptErrors, 0);
  }

  /** Stops gracefully: connections that are still open after so many milliseconds are closed. */
  async shutdown(timeout: number): Promise<void> {
    const closed = await Promise.all(this.#listeners.map((listener) => listener.shutdown({ timeout })));
    this.closedByShutdown = closed.reduce((sum, count) => sum + count, 0);
  }
}

async function echo(conn: Deno.Conn): Promise<void> {
  using _ = conn; // closes the connection and gives its slot back
  await conn.readable.pipeTo(conn.writable).catch(() => {}); // a reset ends this connection, not the server
}
