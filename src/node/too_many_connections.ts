/**
 * `tooManyConnections()`: answers refused clients of HTTP servers with a `429`.
 *
 * @module
 */

import { setTimeout } from "node:timers";
import { RESPONSES } from "../admission/refusal_response.ts";
import { byReason } from "../core/reasons.ts";
import { TokenBucket } from "../core/token_bucket.ts";
import { checkCount, checkOptions, checkTimeout } from "../core/validate.ts";
import type { ServerSocket } from "./server_like.ts";
import type { SocketAnswer } from "./server_port.ts";

/** How many refused connections are answered, and how long an answer may take. */
export interface TooManyConnectionsOptions {
  /**
   * Milliseconds after which the connection is closed, whether or not the client has taken the answer: 0 to 2,147,483,647.
   * It cannot be `Infinity`: a client that never reads would keep its socket for ever.
   *
   * @default {10}
   */
  readonly writeDeadline?: number;
  /**
   * Answers per second: a whole number, or `Infinity`. Connections beyond are closed without one, which costs less.
   *
   * @default {10}
   */
  readonly perSecond?: number;
  /**
   * Answers at once, after a while without any: a whole number, or `Infinity`.
   *
   * @default {100}
   */
  readonly burst?: number;
}

/**
 * Makes an `answer` for `limitServer()`: a refused client of an HTTP server gets a `429` instead of a silent close. The
 * status is `503` for the reason `"total"`, and `403` for `"blocked"` and `"unknown-address"`.
 *
 * Answers have a budget, since each keeps a refused socket open for a moment. Past the budget, connections are closed
 * without an answer. So are connections to TLS servers, where an answer would need a handshake first. On Linux, Bun
 * announces a client that sends nothing only after a second; it is answered then. The defaults for budget and deadline are
 * those of Nomad's HTTP server.
 *
 * @example A server that says why, and logs
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { limitServer, tooManyConnections } from "@connlimit/connlimit/node";
 *
 * const server = createServer((_request, response) => response.end("hello\n"));
 * limitServer(server, { maxPerClient: 20 }, {
 *   answer: tooManyConnections(),
 *   onRefused: ({ reason }, socket) => console.log(`refused ${socket.remoteAddress}: ${reason}`),
 * });
 * server.listen(8000);
 * ```
 *
 * @param options The budget and the deadline.
 * @returns The answer. It has its own budget, which servers share that are given the same answer.
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a number out of its range.
 */
export function tooManyConnections(options: TooManyConnectionsOptions = {}): SocketAnswer<ServerSocket> {
  checkOptions("options", "option", options, ["writeDeadline", "perSecond", "burst"]);
  const { writeDeadline = 10, perSecond = 10, burst = 100 } = options;
  checkTimeout("writeDeadline", writeDeadline);
  if (writeDeadline === Infinity) throw new RangeError("writeDeadline must be finite, got Infinity");
  checkCount("perSecond", perSecond);
  checkCount("burst", burst);
  const budget = new TokenBucket(perSecond, burst);
  return ({ reason }, socket) => {
    if (!budget.take()) return false;
    send(socket, MESSAGES[reason], writeDeadline);
    return true;
  };
}

function send(socket: ServerSocket, message: string, deadline: number): void {
  const timer = setTimeout(() => socket.destroy(), deadline);
  socket.on("close", () => clearTimeout(timer));
  // A close with unread data in the kernel resets the connection, and the answer is lost.
  socket.resume();
  socket.end(message);
}

/** The responses as HTTP/1.1 messages. */
const MESSAGES = byReason((reason) => {
  const { status, text, headers } = RESPONSES[reason];
  const body = `${text}\n`;
  const fields = { ...headers, "content-length": body.length };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${text}\r\n${lines.join("")}\r\n${body}`;
});
