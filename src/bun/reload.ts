/**
 * What happens when the handlers of a limited Bun listener are replaced.
 *
 * Bun's `reload()` replaces all handlers at once, for open sockets too, and so would drop ours, with the slots that they
 * have to free.
 *
 * @module
 */

import { type BunListenerBase, type BunSocketLike, shadow, type SocketHandlers } from "./native.ts";

/** What stands in front of handlers. */
interface HandlerWrapper {
  /** The handlers with the guard in front of them. */
  wrap(handlers: SocketHandlers): SocketHandlers;
}

/** The guards in front of handlers, the outermost first. */
const guardsOf = new WeakMap<object, readonly HandlerWrapper[]>();

/** By listener, the guards in front of the handlers it has now. */
const known = new WeakMap<BunListenerBase, readonly HandlerWrapper[]>();

/** Notes that a guard has been put in front of handlers, which may have others already. */
export function markGuarded<H extends object>(guard: HandlerWrapper, handlers: object, guarded: H): H {
  guardsOf.set(guarded, [guard, ...guardsOf.get(handlers) ?? []]);
  return guarded;
}

/** Has the guards of `guarded` stay in front of whatever handlers a listener is given. */
export function watchListener(listener: BunListenerBase | undefined, guarded: object): void {
  if (listener === undefined || known.has(listener)) return;
  known.set(listener, guardsOf.get(guarded)!);
  shadow(listener, "reload", reload);
}

/** `socket.reload()`, which is about the whole listener. */
export function reloadListener(this: BunSocketLike, options: { socket: SocketHandlers }): void {
  if (this.listener === undefined) throw new TypeError("reload() needs the socket's listener, which has been stopped");
  this.listener.reload(options);
}

/** `listener.reload()`: handlers without a guard get those that the listener has, others bring their own. */
function reload(this: BunListenerBase, options: { socket: SocketHandlers }): void {
  const guarded = guardsOf.has(options.socket)
    ? options.socket
    : known.get(this)!.reduceRight((handlers, guard) => guard.wrap(handlers), options.socket);
  Object.getPrototypeOf(this).reload.call(this, { ...options, socket: guarded });
  known.set(this, guardsOf.get(guarded)!);
}
