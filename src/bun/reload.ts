/**
 * What happens when the handlers of a limited Bun listener are replaced.
 *
 * Bun's `reload()` replaces all handlers at once, for open sockets too, and so would drop ours, with the slots that they
 * have to free.
 *
 * @module
 */

import { type BunSocketLike, type NativeListener, shadow, type SocketHandlers } from "./native.ts";

/** What stands in front of handlers. */
interface Guard {
  /** The handlers with the guard in front of them. */
  wrap(handlers: SocketHandlers): SocketHandlers;
}

/** The guards of each listener, the outermost first. */
const guards = new WeakMap<NativeListener, Guard[]>();

/** Handlers that have guards in front of them. */
const guarded = new WeakSet<object>();

/** Notes that handlers have a guard. */
export function markGuarded<H extends object>(handlers: H): H {
  guarded.add(handlers);
  return handlers;
}

/** Has a guard stay in front of whatever handlers the socket's listener is given. */
export function watchReload(socket: BunSocketLike, guard: Guard): void {
  socket.reload = reloadListener;
  const { listener } = socket;
  if (listener === undefined) return;
  const known = guards.get(listener);
  if (known === undefined) {
    guards.set(listener, [guard]);
    shadow(listener, "reload", reload);
  } else if (!known.includes(guard)) {
    known.push(guard);
  }
}

/** `socket.reload()`, which is about the whole listener. */
function reloadListener(this: BunSocketLike, options: { socket: SocketHandlers }): void {
  if (this.listener === undefined) throw new TypeError("reload() needs the socket's listener, which has been stopped");
  this.listener.reload(options);
}

/** `listener.reload()`: handlers without a guard get those that the listener has, others bring their own. */
function reload(this: NativeListener, options: { socket: SocketHandlers }): void {
  const { socket } = options;
  const known = guards.get(this)!;
  const native = Object.getPrototypeOf(this).reload;
  if (guarded.has(socket)) {
    native.call(this, options);
    known.length = 0;
  } else {
    native.call(this, { ...options, socket: known.reduceRight((handlers, guard) => guard.wrap(handlers), socket) });
  }
}
