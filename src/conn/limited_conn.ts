/**
 * Connections that hold slots.
 *
 * @module
 */

import type { DisposableLike } from "../core/disposable_like.ts";
import type { RemoteAddr } from "../core/peer.ts";
import type { Slot } from "../core/slot.ts";

/** What a connection needs to carry a slot. Every `Deno.Conn` has it. */
export interface ConnLike extends DisposableLike {
  /** The peer's address. */
  readonly remoteAddr: RemoteAddr;
  /** Bytes from the peer. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Bytes to the peer. */
  readonly writable: WritableStream<Uint8Array<ArrayBufferLike>>;
  /** Reads into `buffer`. Resolves to the number of bytes, or to `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of `data`. Resolves to the number of bytes. */
  write(data: Uint8Array): Promise<number>;
  /** Closes the connection. */
  close(): void;
}

/** A connection that holds a slot until it closes. */
export type LimitedConn<C extends ConnLike = ConnLike> = C & {
  /** The slot. If there are several, the one that was bound last. */
  readonly slot: Slot;
};
