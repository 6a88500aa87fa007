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

/**
 * The base of classes that add private fields to an object that exists already. Nobody sees them: neither a loop over the
 * object nor the console. A property that is not enumerable would cost more.
 */
export class FieldsOf {
  constructor(object: object) {
    return object;
  }
}

/** The streams of a connection. */
class Streams extends FieldsOf {
  #readable: ConnLike["readable"] | undefined;
  #writable: ConnLike["writable"] | undefined;

  static #of(conn: object): Streams {
    return #readable in conn ? conn : new Streams(conn);
  }

  static readable(conn: object, create: () => ConnLike["readable"]): ConnLike["readable"] {
    return Streams.#of(conn).#readable ??= create();
  }

  static writable(conn: object, create: () => ConnLike["writable"]): ConnLike["writable"] {
    return Streams.#of(conn).#writable ??= create();
  }
}

/** Makes the properties of a prototype not enumerable, as those of classes are. */
export function hideProperties<P extends object>(prototype: P): P {
  for (const name of Reflect.ownKeys(prototype)) Object.defineProperty(prototype, name, { enumerable: false });
  return prototype;
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
      get(this: ConnLike) {
        return Streams.readable(this, () => readableOf(ioOf(this), () => this[Symbol.dispose]()));
      },
    },
    writable: {
      get(this: ConnLike) {
        return Streams.writable(this, () => writableOf(ioOf(this), () => this[Symbol.dispose]()));
      },
    },
  };
}
