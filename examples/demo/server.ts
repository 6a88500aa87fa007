/**
 * The limited echo server, and a tally of what it did for each client.
 *
 * @module
 */

import { type LimitedListener, limitedListener, type Limiter } from "@connlimit/connlimit";

const LOOPBACK = "127.0.0.1";

/** What became of one client's connections. */
export interface Tally {
  admitted: number;
  refused: number;
  /** The most that were open at once. */
  peak: number;
  /** Admissions that went above the limit then in force. There must be none. */
  aboveLimit: number;
}

/** How a client gets to the server: options for `connect()` of `node:net`. */
export interface Route {
  readonly host: string;
  readonly port: number;
  /** The address to come from. */
  readonly localAddress?: string;
}

/** A server that is running. */
export interface Server {
  /** Where it listens, for people to read. */
  readonly at: string;
  /** Connections that were reset before they could be accepted. They have no address any more, so they are nobody's. */
  readonly acceptErrors: number;
  /** Connections that were still open when the time for a graceful stop was over. */
  readonly closedByShutdown: number;
  routeFor(address: string): Route;
  tallyOf(address: string): Tally;
  /** Stops gracefully; connections that are open after `timeout` milliseconds are closed. */
  shutdown(timeout: number): Promise<void>;
}

/** Starts the server for clients at these loopback addresses. */
export function serve(limiter: Limiter, addresses: readonly string[]): Server {
  const ownAddresses = addresses.every(isOurs);
  const listeners = new Map<string, LimitedListener<Deno.TcpConn, Deno.NetAddr>>();
  const tallies = new Map(addresses.map((address) => [address, newTally()]));
  const tallyOf = (address: string) => tallies.get(address) ?? newTally();

  function listen(listener: Deno.TcpListener) {
    const limited = limitedListener(listener, limiter, {
      onRefused: (_, conn) => void tallyOf(conn.remoteAddr.hostname).refused++,
    });
    acceptAll(limited);
    return limited;
  }

  async function acceptAll(listener: LimitedListener<Deno.TcpConn>) {
    for await (const conn of listener) {
      count(conn.remoteAddr.hostname);
      echo(conn);
    }
  }

  function count(address: string) {
    const tally = tallyOf(address);
    const open = limiter.openFor(address);
    tally.admitted++;
    tally.peak = Math.max(tally.peak, open);
    if (open > limiter.limits.maxPerClient) tally.aboveLimit++;
  }

  const door = ownAddresses ? listen(Deno.listen({ hostname: LOOPBACK, port: 0 })) : undefined;
  for (const address of addresses) listeners.set(address, door ?? listen(lend(address)));
  const doors = new Set(listeners.values());
  let closedByShutdown = 0;

  return {
    at: door ? `${LOOPBACK}:${door.addr.port}` : `${LOOPBACK}, a port for each client`,
    get closedByShutdown() {
      return closedByShutdown;
    },
    get acceptErrors() {
      return doors.values().reduce((sum, { acceptErrors }) => sum + acceptErrors, 0);
    },
    routeFor: (address) => ({
      host: LOOPBACK,
      port: listeners.get(address)!.addr.port,
      ...(ownAddresses && { localAddress: address }),
    }),
    tallyOf,
    shutdown: async (timeout) => {
      const closed = await Promise.all(doors.values().map((listener) => listener.shutdown({ timeout })));
      closedByShutdown = closed.reduce((sum, count) => sum + count, 0);
    },
  };
}

async function echo(conn: Deno.Conn) {
  using _ = conn; // closes the connection and gives its slot back
  await conn.readable.pipeTo(conn.writable).catch(() => {}); // a reset ends this connection, not the server
}

function newTally(): Tally {
  return { admitted: 0, refused: 0, peak: 0, aboveLimit: 0 };
}

/** Whether connections can come from this address: on Linux from all of 127.0.0.0/8, on macOS only from 127.0.0.1. */
function isOurs(address: string): boolean {
  try {
    Deno.listen({ hostname: address, port: 0 }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrNotAvailable) return false;
    throw error;
  }
}

/** Opens a door for one client alone: whoever comes in by it seems to come from this address. */
function lend(address: string): Deno.TcpListener {
  const listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
  const accept = listener.accept.bind(listener);
  listener.accept = async () => {
    const conn = await accept();
    return Object.defineProperty(conn, "remoteAddr", { value: { ...conn.remoteAddr, hostname: address } });
  };
  return listener;
}
