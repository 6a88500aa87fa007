/**
 * The option `client` of what limits connections: it finds the client behind a proxy.
 *
 * @module
 */

import type { Peer } from "../core/peer.ts";
import { typeError } from "../core/validate.ts";
import type { PendingStage } from "./pending_stage.ts";

/** The key of what adapters call. It is global: a finder may come from another copy of this package. */
export const FIND_CLIENT: unique symbol = Symbol.for("connlimit.findClient");

/**
 * Finds the client behind each connection, by what its proxy sends ahead of the client's bytes. `proxyProtocol()` makes one.
 */
export interface ClientFinder {
  /** How it finds them, such as `"PROXY protocol"`. */
  readonly by: string;
}

/** The side of a finder that users do not see. */
export interface StagingFinder extends ClientFinder {
  /** Makes the stage in which the connections of one listener or server are pending meanwhile. */
  readonly [FIND_CLIENT]: <C>(access: ConnAccess<C>) => PendingStage<C>;
}

/**
 * An adapter's access to its connections, for finders. They bring all else, so that they cost nothing where there is none.
 *
 * @typeParam C The connections.
 */
export interface ConnAccess<C> {
  /** Whether all connections speak TLS that the runtime begins by itself, where that is known beforehand. */
  readonly tls?: boolean;
  /** Names the peer of a connection, which may be a proxy, with its port if it has one. */
  peerOf(conn: C): Peer;
  /** Returns the object that users have for a connection. */
  objectOf(conn: C): object;
  /** Whether one does. */
  isTls?(conn: C): boolean;
  /**
   * Reads into `buffer` and leaves the rest to others: at once what is there, else later. Results in the number of bytes, or in
   * `null` at the end.
   */
  read(conn: C, buffer: Uint8Array): number | null | Promise<number | null>;
  /** Makes a client the one that the connection shows. */
  show(conn: C, address: string, port: number): void;
}

/**
 * Checks the option `client`.
 *
 * @throws {TypeError} If it is there and not a finder.
 */
export function checkClient(client: ClientFinder | undefined): asserts client is StagingFinder | undefined {
  if (client !== undefined && typeof (client as StagingFinder | null)?.[FIND_CLIENT] !== "function") {
    throw typeError("client", "made by proxyProtocol()", client);
  }
}

/**
 * The stage of the option `client`, if that is there.
 *
 * @throws {TypeError} If the option is not a finder.
 */
export function findClients<C>(client: ClientFinder | undefined, access: ConnAccess<C>): PendingStage<C> | undefined {
  checkClient(client);
  return client?.[FIND_CLIENT](access);
}
