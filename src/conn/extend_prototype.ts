/**
 * Connections of a runtime that behave differently, and stay the runtime's own objects.
 *
 * @module
 */

import type { ConnLike } from "./limited_conn.ts";
import { readableOf, writableOf } from "./streams.ts";

/**
 * Makes a function that puts a prototype in front of an object's own. There is one for each prototype that it meets, since
 * properties for each object would cost far more.
 *
 * @param make Makes an object that inherits from `native`, by the first object that has this prototype.
 */
export function extendPrototype<C extends object>(make: (native: C, first: C) => object): (object: C) => void {
  const extended = new WeakMap<object, object>();
  return (object) => {
    const native = Object.getPrototypeOf(object);
    let prototype = extended.get(native);
    if (prototype === undefined) extended.set(native, prototype = make(native, object));
    Object.setPrototypeOf(object, prototype);
  };
}

const READABLE: unique symbol = Symbol("connlimit.readable");
const WRITABLE: unique symbol = Symbol("connlimit.writable");

interface Streamed extends ConnLike {
  [READABLE]?: ConnLike["readable"];
  [WRITABLE]?: ConnLike["writable"];
}

/**
 * Makes accessors for `readable` and `writable`, whose streams are made when they are first asked for. The end of either
 * disposes of the connection.
 *
 * @param ioOf Returns what the streams read and write by.
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
