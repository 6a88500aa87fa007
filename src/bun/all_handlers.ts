/**
 * Copies of handlers.
 *
 * @module
 */

/** What Bun looks for. Methods of a class are not found by going over it. */
const NAMES = ["open", "close", "data", "drain", "end", "error", "connectError", "timeout", "handshake", "binaryType"];

/** All handlers of an object, and whatever else it has, as own properties. */
export function allHandlers<H extends object>(handlers: H): H {
  const all: Record<string, unknown> = {};
  for (const name in handlers) all[name] = handlers[name];
  for (const name of NAMES) {
    const handler = handlers[name as keyof H];
    if (handler !== undefined) all[name] = handler;
  }
  return all as H;
}
