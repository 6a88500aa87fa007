/**
 * The answers to refused requests.
 *
 * @module
 */

import { RESPONSES } from "../admission/refusal_response.ts";
import { byReason, type RefusalReason } from "../core/reasons.ts";
import type { Refusal } from "../core/slot.ts";
import { checkPlainObject, formatValue, typeError } from "../core/validate.ts";
import { answerSocket } from "./answer_socket.ts";
import type { Subject } from "./server_request.ts";

/** The answer to a refused request. */
export interface RequestAnswer {
  /** The status, 400 to 599. Others would say that the request has been served, or that a tunnel is open. */
  readonly status: number;
  /**
   * The header fields. `Content-Length` is set by itself. `Trailer` and the fields of single connections are invalid, such as
   * `Keep-Alive`, `TE`, `Transfer-Encoding` and `Upgrade`. `Connection` is invalid for HTTP/2, and `close` for an upgrade.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * The body.
   *
   * @default {""}
   */
  readonly body?: string | Uint8Array;
}

/** An answer that is ready to be sent: with lower-case names and its length. */
export interface ReadyAnswer {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

const encoder = new TextEncoder();

/** The usual answers, made once. Clients set the rate of refusals. */
const CLOSING: Readonly<Record<RefusalReason, ReadyAnswer>> = byReason((reason) => {
  const { status, text, headers } = RESPONSES[reason];
  return readyOf({ status, headers, body: `${text}\n` });
});

const LASTING: Readonly<Record<RefusalReason, ReadyAnswer>> = byReason((reason) => {
  const { connection: _, ...fields } = CLOSING[reason].fields;
  return { ...CLOSING[reason], fields };
});

/**
 * The usual answer.
 *
 * @param lasting Whether the connection stays open, since it may carry other requests.
 */
export function usualAnswer(refusal: Refusal, lasting: boolean): ReadyAnswer {
  const answer = (lasting ? LASTING : CLOSING)[refusal.reason];
  if (refusal.retryAfter === undefined) return answer;
  return { ...answer, fields: { ...answer.fields, "retry-after": `${refusal.retryAfter}` } };
}

/** A field name, and a field value that needs no encoding. (RFC 9110, sections 5.1 and 5.5) */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t -~]*$/;

/**
 * Fields of the connection, which is the server's, and of trailers, which an answer has none of. Servers throw at most of
 * them. (RFC 9110, section 7.6.1; RFC 9113, section 8.2.2)
 */
const FORBIDDEN = new Set([
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Checks an answer, since a tunnel's is sent without anybody else's check, and servers throw at what they do not send.
 *
 * @param kind What is refused.
 * @throws {TypeError} If it is not valid.
 */
export function checkAnswer({ status, headers = {}, body = "" }: RequestAnswer, kind: Subject["kind"]): void {
  if (!(Number.isInteger(status) && status >= 400 && status <= 599)) {
    throw typeError("status of an answer", "a whole number from 400 to 599", status);
  }
  checkPlainObject("headers of an answer", headers);
  for (const [name, value] of Object.entries(headers)) {
    if (!NAME.test(name) || typeof value !== "string" || !VALUE.test(value)) {
      throw new TypeError(`headers of an answer must be valid, got ${formatValue(name)}: ${formatValue(value)}`);
    }
    const lower = name.toLowerCase();
    if (FORBIDDEN.has(lower)) throw new TypeError(`headers of an answer must not have ${formatValue(name)}`);
    if (lower === "connection" && kind === "stream") {
      throw new TypeError(`headers of an answer over HTTP/2 must not have ${formatValue(name)}`);
    }
  }
  if (typeof body !== "string" && !(body instanceof Uint8Array)) {
    throw typeError("body of an answer", "a string or a Uint8Array", body);
  }
}

/** Makes an answer ready that has been checked. */
export function readyOf({ status, headers = {}, body = "" }: RequestAnswer): ReadyAnswer {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  const names = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { status, fields: { ...Object.fromEntries(names), "content-length": `${bytes.length}` }, bytes };
}

/** Answers a refused request. An upgrade is answered by a close as well. */
export function refuseRequest(refused: Subject, { status, fields, bytes }: ReadyAnswer): void {
  if (refused.kind === "response") {
    const response = refused.subject;
    response.writeHead(status, fields);
    response.end(bytes);
  } else if (refused.kind === "stream") {
    const stream = refused.subject;
    stream.on("error", ignore);
    if (stream.destroyed) return;
    const { headRequest } = stream;
    stream.respond({ ":status": status, ...fields }, { endStream: headRequest });
    if (!headRequest) stream.end(bytes);
    // Otherwise it would be open until the client has sent all of a body that nobody reads.
    if (!stream.endAfterHeaders) stream.close();
  } else {
    const socket = refused.subject;
    socket.on("error", ignore);
    answerSocket(socket, messageOf(status, fields, bytes), WRITE_DEADLINE_MS);
  }
}

/** Whether anything of an answer may have been sent. */
export function isBegun(refused: Subject): boolean {
  return refused.kind === "tunnel" || refused.subject.headersSent;
}

/** The time in which the client of a refused upgrade takes the answer and closes. */
const WRITE_DEADLINE_MS = 1_000;

function messageOf(status: number, fields: Readonly<Record<string, string>>, body: Uint8Array): Uint8Array {
  const lines = Object.entries({ ...fields, connection: "close" }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = encoder.encode(`HTTP/1.1 ${status} ${PHRASES.get(status) ?? ""}\r\n${lines.join("")}\r\n`);
  const message = new Uint8Array(head.length + body.length);
  message.set(head);
  message.set(body, head.length);
  return message;
}

const PHRASES = new Map(Object.values(RESPONSES).map(({ status, text }) => [status, text]));

function ignore(): void {}
