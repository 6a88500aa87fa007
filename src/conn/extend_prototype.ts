/**
 * Changed behaviour for connections that stay the runtime's own objects.
 *
 * @module
 */

import type { ConnLike } from "./limited_conn.ts";
import { readableOf, writableOf } from "./streams.ts";

/**
 * Creates a function that inserts a prototype between an object and its own prototype. Objects with the same prototype
 * share the inserted one. Properties on each object would cost far more.
 *
 * @param make Creates the object to insert. It must inherit from `native`.
 */
export function extendPrototype<C extends object>(make: (native: C) => object): (object: C) => C {
  const extended = new WeakMap<object, object>();
  return (object) => {
    const native = Object.getPrototypeOf(object);
    let prototype = extended.get(native);
    if (prototype === undefined) extended.set(native, prototype = make(native));
    return Object.setPrototypeOf(object, prototype);
  };
}

const READABLE: unique symbol = Symbol("connlimit.readable");
const WRITABLE: unique symbol = Symbol("connlimit.writable");

interface Streamed extends ConnLike {
  [READABLE]?: ConnLike["readable"];
  [WRITABLE]?: ConnLike["writable"];
}

/**
 * Creates accessors for `readable` and `writable`. They create the streams on first access. The end of either stream
 * disposes of the connection.
 *
 * @param ioOf Returns the `read()` and `write()` of a connection's streams.
 */
export function streamAccessors(ioOf: (conn: ConnLike) => Pick<ConnLike, "read" | "write">): PropertyDescriptorMap {
  return {
    readable: {
      get(this: Streamed) {
        return this[READABLE] ??= readableOf(ioOf(this), () => this[Symbol.dispose]());
      },
    },
    writable: {
      get(this: Streamed) {
        return this[WRITABLE] ??= writableOf(ioOf(this), () => this[Symbol.dispose]());
      },
    },
  };
}
