/**
 * `tooManyConnections()`: answers refused connections of HTTP servers with a `429`.
 *
 * @module
 */

import { setTimeout } from "node:timers";
import { ANSWERS } from "../http/refused.ts";
import { checkCount, checkKnown, checkRecord, checkTimeout } from "../options.ts";
import type { Refusal, RefusalReason } from "../slot.ts";
import type { ServerSocket } from "./gate.ts";
import { TokenBucket } from "./token_bucket.ts";

/** How many refused connections are answered, and how long that may take. */
export interface TooManyConnectionsOptions {
  /**
   * Milliseconds after which the connection is closed, whether or not the client has taken the answer.
   *
   * @default {10}
   */
  readonly writeDeadline?: number;
  /**
   * How many connections are answered a second. Those beyond are just closed, which costs less.
   *
   * @default {10}
   */
  readonly perSecond?: number;
  /**
   * How many connections are answered at once, after a while without any.
   *
   * @default {100}
   */
  readonly burst?: number;
}

/** Hooks that close the refused socket themselves. */
const closing = new WeakSet<object>();

/** Whether a hook closes the refused socket itself. */
export function closesItself(hook: object): boolean {
  return closing.has(hook);
}

/**
 * Makes a hook for `limitServer()` with which refused clients of an HTTP server are told so, by a `429`, where they would
 * see their connection closed without a word: `503` for the reason `"total"`, `403` for `"blocked"` and
 * `"unknown-address"`.
 *
 * Answers are kept within a budget, since each keeps a refused socket open for a moment. Past it, and on TLS servers, where
 * there would have to be a handshake first, connections are just closed. On Bun a client that sends nothing is heard of,
 * and so answered, only after a second. The defaults for the budget and the deadline are those of Nomad's HTTP server.
 *
 * @example A server that says why
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { limitServer, tooManyConnections } from "@connlimit/connlimit/node";
 *
 * const server = createServer((_request, response) => response.end("hello\n"));
 * limitServer(server, { maxPerClient: 20 }, { onRefused: tooManyConnections() });
 * server.listen(8000);
 * ```
 *
 * @param options The budget and the deadline.
 * @returns The hook; with a budget of its own, to be shared by servers that are to share it.
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a number out of its range.
 */
export function tooManyConnections(
  options: TooManyConnectionsOptions = {},
): (refusal: Refusal, socket: ServerSocket) => void {
  checkRecord("options", options);
  checkKnown("option", options, ["writeDeadline", "perSecond", "burst"]);
  const { writeDeadline = 10, perSecond = 10, burst = 100 } = options;
  checkTimeout("writeDeadline", writeDeadline);
  checkCount("perSecond", perSecond);
  checkCount("burst", burst);
  const budget = new TokenBucket(perSecond, burst);
  const hook = ({ reason }: Refusal, socket: ServerSocket): void => {
    if (budget.take()) answer(socket, reason, writeDeadline);
    else socket.destroy();
  };
  closing.add(hook);
  return hook;
}

function answer(socket: ServerSocket, reason: RefusalReason, deadline: number): void {
  socket.on("error", () => {});
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
