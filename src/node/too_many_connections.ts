/**
 * `tooManyConnections()`: answers refused connections of HTTP servers with a `429`.
 *
 * @module
 */

import { setTimeout } from "node:timers";
import { ANSWERS } from "../admission/refusal_response.ts";
import type { Refusal, RefusalReason } from "../core/slot.ts";
import { TokenBucket } from "../core/token_bucket.ts";
import { checkCount, checkHook, checkPlainObject, checkTimeout, rejectUnknownKeys } from "../core/validate.ts";
import { ANSWERING, type Answering, type ServerSocket } from "./server_gate.ts";

/**
 * How many refused connections are answered, how long that may take, and who is told.
 *
 * @typeParam S The server's sockets.
 */
export interface TooManyConnectionsOptions<S extends ServerSocket = ServerSocket> {
  /**
   * Called with each refused connection and the reason, right before the connection is answered or closed: also over TLS
   * and past the budget. The hook must leave writing and closing to the answer. What it throws or rejects with goes to the
   * `onError` of `limitServer()`, and the connection is answered all the same.
   */
  readonly onRefused?: (refusal: Refusal, socket: S) => unknown;
  /**
   * Milliseconds after which the connection is closed, whether or not the client has taken the answer: 0 to 2,147,483,647.
   * It cannot be `Infinity`: a client that never reads would keep its socket for ever.
   *
   * @default {10}
   */
  readonly writeDeadline?: number;
  /**
   * How many connections are answered a second: a whole number, or `Infinity`. Those beyond are just closed, which costs
   * less.
   *
   * @default {10}
   */
  readonly perSecond?: number;
  /**
   * How many connections are answered at once, after a while without any: a whole number, or `Infinity`.
   *
   * @default {100}
   */
  readonly burst?: number;
}

/**
 * Makes a hook for `limitServer()` with which refused clients of an HTTP server are told so, by a `429`, where they would
 * see their connection closed without a word: `503` for the reason `"total"`, `403` for `"blocked"` and
 * `"unknown-address"`.
 *
 * Answers are kept within a budget, since each keeps a refused socket open for a moment. Past it, and on TLS servers, where
 * there would have to be a handshake first, connections are just closed. On Bun, on Linux, a client that sends nothing is heard
 * of, and so answered, only after a second. The defaults for the budget and the deadline are those of Nomad's HTTP server.
 *
 * The hook is to be given to `limitServer()` itself. Another function that calls it cannot answer, as a connection is
 * closed when an ordinary hook returns; so the hook throws a `TypeError` when it is called, and the connection is just
 * closed. What is to happen besides the answer, such as logging, is for the option `onRefused`.
 *
 * @example A server that says why, and logs
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { limitServer, tooManyConnections } from "@connlimit/connlimit/node";
 *
 * const server = createServer((_request, response) => response.end("hello\n"));
 * limitServer(server, { maxPerClient: 20 }, {
 *   onRefused: tooManyConnections({
 *     onRefused: ({ reason }, socket) => console.log(`refused ${socket.remoteAddress}: ${reason}`),
 *   }),
 * });
 * server.listen(8000);
 * ```
 *
 * @typeParam S The server's sockets.
 * @param options The budget, the deadline and who is told.
 * @returns The hook; with a budget of its own, to be shared by servers that are to share it.
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a number out of its range.
 */
export function tooManyConnections<S extends ServerSocket = ServerSocket>(
  options: TooManyConnectionsOptions<S> = {},
): (refusal: Refusal, socket: S) => void {
  checkPlainObject("options", options);
  rejectUnknownKeys("option", options, ["onRefused", "writeDeadline", "perSecond", "burst"]);
  const { onRefused, writeDeadline = 10, perSecond = 10, burst = 100 } = options as TooManyConnectionsOptions<S>;
  checkHook("onRefused", onRefused);
  checkTimeout("writeDeadline", writeDeadline);
  if (writeDeadline === Infinity) throw new RangeError("writeDeadline must be finite, got Infinity");
  checkCount("perSecond", perSecond);
  checkCount("burst", burst);
  const budget = new TokenBucket(perSecond, burst);
  const answering: Answering<S> = {
    observe: onRefused,
    answer({ reason }, socket) {
      if (!budget.take()) return false;
      answer(socket, reason, writeDeadline);
      return true;
    },
  };
  const hook = (): never => {
    throw new TypeError("the hook of tooManyConnections() must be given to limitServer() itself; see its onRefused");
  };
  return Object.assign(hook, { [ANSWERING]: answering });
}

function answer(socket: ServerSocket, reason: RefusalReason, deadline: number): void {
  const timer = setTimeout(() => socket.destroy(), deadline);
  socket.on("close", () => clearTimeout(timer));
  // What the client has sent is read, since closing with something unread resets the connection, and the answer with it.
  socket.resume();
  socket.end(RESPONSES[reason]);
}

/** The responses as they go over the wire. */
const RESPONSES = Object.fromEntries(
  Object.entries(ANSWERS).map(([reason, { status, text, headers }]) => {
    const body = `${text}\n`;
    const fields = { ...headers, "content-length": body.length };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    return [reason, `HTTP/1.1 ${status} ${text}\r\n${lines.join("")}\r\n${body}`];
  }),
) as Record<RefusalReason, string>;
