/**
 * `tooManyConnections()`: answers refused clients of HTTP servers with a `429`.
 *
 * @module
 */

import { type AnswerBudget, type AnswerOptions, checkBudget } from "../admission/refusal_answer.ts";
import { type RefusalResponse, RESPONSES, responseTo } from "../admission/refusal_response.ts";
import { byReason } from "../core/reasons.ts";

/**
 * Makes an `answer` for `limitServer()`: a refused client of an HTTP server gets a `429` instead of a silent close. The
 * status is `503` for the reason `"total"`, and `403` for `"blocked"` and `"unknown-address"`. A client of HTTP/2 gets a
 * `GOAWAY` with the code `ENHANCE_YOUR_CALM` and the same text.
 *
 * Answers have a budget, since each keeps a refused socket open for a moment. Past the budget, connections are closed
 * without an answer. So are connections to TLS servers, where an answer would need a handshake first; those that come
 * after their handshake from another server are answered. On Linux, Bun
 * announces a client that sends nothing only after a second; it is answered then. The defaults for the budget are those of
 * Nomad's HTTP server.
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
 * @returns The answer, with its budget. A server that is given it has a budget of its own.
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a number out of its range.
 */
export function tooManyConnections(options: AnswerBudget = {}): AnswerOptions<unknown> {
  checkBudget(options);
  return {
    ...options,
    send(refusal, socket) {
      if (speaksHttp2(socket as object)) return GOAWAYS[refusal.reason];
      return refusal.retryAfter === undefined ? MESSAGES[refusal.reason] : messageOf(responseTo(refusal));
    },
  };
}

/** Sockets of servers that speak HTTP/2 without TLS, and nothing else. */
export const http2Sockets: WeakSet<object> = new WeakSet();

/** Whether a client has to be answered in HTTP/2. With TLS it has chosen that in the handshake. */
function speaksHttp2(socket: { readonly alpnProtocol?: unknown }): boolean {
  return socket.alpnProtocol === "h2" || http2Sockets.has(socket);
}

/** The responses as HTTP/1.1 messages. */
const MESSAGES = byReason((reason) => messageOf(RESPONSES[reason]));

function messageOf({ status, text, headers }: RefusalResponse): string {
  const body = `${text}\n`;
  const fields = { ...headers, "content-length": body.length };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${text}\r\n${lines.join("")}\r\n${body}`;
}

const ENHANCE_YOUR_CALM = 0xb;

/** The same for HTTP/2: the server's preface, which is empty settings, and the end. (RFC 9113, sections 3.4 and 6.8) */
const GOAWAYS = byReason((reason) => {
  const text = new TextEncoder().encode(RESPONSES[reason].text);
  const settings = frameOf(4, []);
  const goaway = frameOf(7, [0, 0, 0, 0, 0, 0, 0, ENHANCE_YOUR_CALM, ...text]);
  return Uint8Array.from([...settings, ...goaway]);
});

/** A frame of the whole connection. */
function frameOf(type: number, payload: readonly number[]): number[] {
  return [0, 0, payload.length, type, 0, 0, 0, 0, 0, ...payload];
}
