/**
 * `reload()` of limited Bun listeners.
 *
 * Bun's `reload()` replaces all handlers at once, for open sockets too. It would drop the library's handlers, and the
 * slots of the open sockets would never be released.
 *
 * @module
 */

import { type BunListenerBase, type BunSocketLike, shadow, type SocketHandlers } from "./native.ts";

/** Wraps the handlers of a listener. */
interface HandlerWrapper {
  /** Returns handlers that call `handlers`. */
  wrap(handlers: SocketHandlers): SocketHandlers;
}

/** The wrappers of wrapped handlers, the outermost first. */
const wrappersOf = new WeakMap<object, readonly HandlerWrapper[]>();

/** The wrappers of a watched listener's current handlers. */
const listenerWrappers = new WeakMap<BunListenerBase, readonly HandlerWrapper[]>();

/** Records that `wrapper` has wrapped `handlers`, which may already be wrapped. Returns the result, `wrapped`. */
export function markGuarded<H extends object>(wrapper: HandlerWrapper, handlers: object, wrapped: H): H {
  wrappersOf.set(wrapped, [wrapper, ...wrappersOf.get(handlers) ?? []]);
  return wrapped;
}

/** Keeps the wrappers of `wrapped` around all handlers that `listener` is reloaded with. */
export function watchListener(listener: BunListenerBase | undefined, wrapped: object): void {
  if (listener === undefined || listenerWrappers.has(listener)) return;
  listenerWrappers.set(listener, wrappersOf.get(wrapped)!);
  shadow(listener, "reload", reload);
}

/** `socket.reload()`. Like Bun's, it replaces the handlers of the whole listener. */
export function reloadListener(this: BunSocketLike, options: { socket: SocketHandlers }): void {
  if (this.listener === undefined) throw new TypeError("reload() needs the socket's listener, which has been stopped");
  this.listener.reload(options);
}

/** `listener.reload()`. Plain handlers get the listener's current wrappers; wrapped handlers keep their own. */
function reload(this: BunListenerBase, options: { socket: SocketHandlers }): void {
  const wrapped = wrappersOf.has(options.socket)
    ? options.socket
    : listenerWrappers.get(this)!.reduceRight((handlers, wrapper) => wrapper.wrap(handlers), options.socket);
  Object.getPrototypeOf(this).reload.call(this, { ...options, socket: wrapped });
  listenerWrappers.set(this, wrappersOf.get(wrapped)!);
}
