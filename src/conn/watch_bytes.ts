/**
 * Connections whose bytes are noted, for their deadlines.
 *
 * @module
 */

import { OPEN_CONN, type Recorded } from "../admission/open_conn.ts";
import { extendPrototype, hideProperties } from "./extend_prototype.ts";
import type { ConnLike } from "./limited_conn.ts";

/** Whether an object's bytes are noted. */
const WATCHED: unique symbol = Symbol("connlimit.watched");

/** A connection, which may be pushed the data that it receives. */
type Watchable = ConnLike & { onData?(chunk: Uint8Array): void };

/**
 * Notes, in the record of a connection, that bytes have been read or written: when a call resolves, or when data arrives
 * where it is pushed. An adapter that has no deadlines leaves its connections alone.
 */
export function watchBytes(conn: ConnLike): void {
  if (!(WATCHED in conn)) extend(conn);
}

const extend = extendPrototype<Watchable>((native) => {
  const written = {
    __proto__: native,

    get [WATCHED]() {
      return true;
    },

    write(data: Uint8Array): Promise<number> {
      return noted(this, super.write(data), false);
    },
  };
  const prototype = native.onData === undefined
    ? {
      __proto__: written,

      read(buffer: Uint8Array): Promise<number | null> {
        return noted(this, super.read(buffer), true);
      },
    }
    : {
      __proto__: written,

      onData(chunk: Uint8Array): void {
        super.onData(chunk);
        (this as Recorded)[OPEN_CONN]?.touch(true);
      },
    };
  hideProperties(written);
  return hideProperties(prototype);
});

/** Returns the same promise, whose rejection is the caller's matter alone. */
function noted<T extends number | null>(conn: object, count: Promise<T>, read: boolean): Promise<T> {
  count.then((count) => {
    if (count !== null && count > 0) (conn as Recorded)[OPEN_CONN]?.touch(read);
  }, ignore);
  return count;
}

function ignore(): void {}
