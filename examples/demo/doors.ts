/**
 * Where clients come in, and how it is known who they are.
 *
 * Linux and Windows have all of 127.0.0.0/8 on loopback, so each client comes from an address of its own to one port.
 * macOS has 127.0.0.1 alone: there each client gets a port of its own, and the port lends it its address.
 *
 * @module
 */

const LOOPBACK = "127.0.0.1";

/** How a client gets to the server: options for `connect()` of `node:net`. */
export interface Route {
  readonly host: string;
  readonly port: number;
  /** The address to come from. */
  readonly localAddress?: string;
}

/** The listeners that clients connect to. */
export interface Doors {
  readonly listeners: readonly Deno.TcpListener[];
  /** The way in for each address. */
  readonly routes: ReadonlyMap<string, Route>;
}

/** Whether clients can come from these addresses: whether this system has them. */
export function haveAddresses(addresses: readonly string[]): boolean {
  try {
    for (const address of addresses) Deno.listen({ hostname: address, port: 0 }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrNotAvailable) return false;
    throw error;
  }
}

/** One door for all, who come from their own addresses. */
export function oneDoor(addresses: readonly string[]): Doors {
  const listener = open();
  const { port } = listener.addr;
  const routes = addresses.map((address) => [address, { host: LOOPBACK, port, localAddress: address }] as const);
  return { listeners: [listener], routes: new Map(routes) };
}

/** A door for each: whoever comes in by it seems to come from that address. */
export function doorForEach(addresses: readonly string[]): Doors {
  const listeners = addresses.map(lend);
  const routes = listeners.map(({ addr: { port } }, i) => [addresses[i]!, { host: LOOPBACK, port }] as const);
  return { listeners, routes: new Map(routes) };
}

function open(): Deno.TcpListener {
  return Deno.listen({ hostname: LOOPBACK, port: 0 });
}

function lend(address: string): Deno.TcpListener {
  const listener = open();
  const accept = listener.accept.bind(listener);
  listener.accept = async () => {
    const conn = await accept();
    return Object.defineProperty(conn, "remoteAddr", { value: { ...conn.remoteAddr, hostname: address } });
  };
  return listener;
}
