/**
 * Refused connections, as hooks are given them.
 *
 * @module
 */

import { extendPrototype, streamAccessors } from "./extend_prototype.ts";
import type { ConnLike } from "./limited_conn.ts";

type AsyncMethod = (...args: unknown[]) => Promise<unknown>;

/** The methods that return promises, where a connection has them. */
const METHODS = ["read", "write", "closeWrite", "handshake"] as const;

/**
 * Marks rejections of a refused connection's I/O as handled. Closing the connection rejects I/O that a hook left pending.
 * Clients can cause that at will, so it must not end the process.
 */
export const muteRejections: (conn: ConnLike) => ConnLike = extendPrototype<ConnLike>((native) => {
  // The promises inside a stream cannot be marked as handled, so these streams end instead of erroring.
  const io = (conn: ConnLike) => ({
    read: (buffer: Uint8Array) => conn.read(buffer).catch(() => null),
    write: (data: Uint8Array) => conn.write(data).catch(() => data.length),
  });
  const prototype: object = Object.create(native, streamAccessors(io));
  for (const name of METHODS) {
    const method = (native as unknown as Record<string, AsyncMethod | undefined>)[name];
    if (method !== undefined) Object.defineProperty(prototype, name, { value: handled(method) });
  }
  return prototype;
});

/** A method whose rejections count as handled. */
function handled(method: AsyncMethod): AsyncMethod {
  return function (this: unknown, ...args) {
    const promise = Reflect.apply(method, this, args);
    promise.catch(() => {});
    return promise;
  };
}
