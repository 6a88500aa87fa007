/**
 * Refused connections, as hooks are given them.
 *
 * Whatever a hook does with one and does not wait for is cut short by the close, and clients choose when: it must not end
 * the process as an unhandled rejection.
 *
 * @module
 */

import type { ConnLike } from "./limited_conn.ts";
import { readableOf, writableOf } from "./streams.ts";

const READABLE = Symbol("connlimit.readable");
const WRITABLE = Symbol("connlimit.writable");

interface RefusedConn extends ConnLike {
  [READABLE]?: ConnLike["readable"];
  [WRITABLE]?: ConnLike["writable"];
}

/** What returns promises, as far as a connection has it. */
const METHODS = ["read", "write", "closeWrite", "handshake"] as const;

/** Our prototypes by the one they extend: a prototype for all costs far less than properties for each. */
const prototypes = new WeakMap<object, object>();

/** Readies a refused connection for a hook. */
export function muteRejections(conn: ConnLike): void {
  const native = Object.getPrototypeOf(conn);
  let prototype = prototypes.get(native);
  if (prototype === undefined) prototypes.set(native, prototype = extend(native));
  Object.setPrototypeOf(conn, prototype);
}

function extend(native: Record<string, unknown>): object {
  const prototype = {
    __proto__: native,

    // A stream rejects by promises that are out of reach here. So these never do: they end, as the connection does.
    get readable(): ConnLike["readable"] {
      const conn = this as unknown as RefusedConn;
      return conn[READABLE] ??= readableOf(
        { read: (buffer) => conn.read(buffer).catch(() => null) },
        () => conn[Symbol.dispose](),
      );
    },

    get writable(): ConnLike["writable"] {
      const conn = this as unknown as RefusedConn;
      return conn[WRITABLE] ??= writableOf(
        { write: (data) => conn.write(data).catch(() => data.length) },
        () => conn[Symbol.dispose](),
      );
    },
  };
  for (const name of METHODS) {
    const method = native[name] as ((...args: unknown[]) => Promise<unknown>) | undefined;
    if (method !== undefined) Object.defineProperty(prototype, name, { value: handled(method), configurable: true });
  }
  return prototype;
}

/** A method whose rejections count as handled. */
function handled(method: (...args: unknown[]) => Promise<unknown>): typeof method {
  return function (this: unknown, ...args) {
    const promise = Reflect.apply(method, this, args);
    promise.catch(() => {});
    return promise;
  };
}
