/**
 * Kinds of connections on Bun: with and without TLS, half-open or not; and clients for them.
 *
 * @module
 */

import { connect as connectTls } from "node:tls";
import { certificate, type Client, connected, connectFrom } from "../net.ts";

/** A kind of connection. */
export interface Kind {
  readonly name: string;
  readonly tls: boolean;
  /** Whether a connection can still be written to when its peer has ended its side. */
  readonly halfOpen: boolean;
}

/** Without TLS. */
export const PLAIN: Kind = { name: "TCP", tls: false, halfOpen: true };
/** With it. */
export const TLS: Kind = { name: "TLS", tls: true, halfOpen: true };

/** All that Bun's sockets differ in. */
export const KINDS: readonly Kind[] = [PLAIN, TLS].flatMap((kind) => [
  { ...kind, name: `${kind.name}, half-open` },
  { ...kind, name: `${kind.name}, not half-open`, halfOpen: false },
]);

/** What `Bun.listen()` is told besides its handlers. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
  readonly allowHalfOpen: boolean;
  readonly tls?: ReturnType<typeof certificate>;
}

/** A port for connections of a kind. */
export function address({ tls, halfOpen }: Kind): Address {
  return { hostname: "0.0.0.0", port: 0, allowHalfOpen: halfOpen, ...(tls ? { tls: certificate() } : {}) };
}

/** Connects in the way that the listener expects; with TLS it resolves when the handshake is done. */
export async function connect({ tls }: Kind, port: number, localAddress = "127.0.0.1"): Promise<Client> {
  if (!tls) return await connectFrom(localAddress, port);
  const target = { host: "127.0.0.1", port, localAddress, servername: "localhost", ca: certificate().cert };
  return await connected(connectTls(target), "secureConnect");
}

/** Connects, unless it is turned away first. */
export async function tryConnect(kind: Kind, port: number, localAddress?: string): Promise<Client | undefined> {
  return await connect(kind, port, localAddress).catch(() => undefined);
}
