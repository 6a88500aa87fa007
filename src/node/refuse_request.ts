/**
 * The answers to refused requests.
 *
 * @module
 */

import { RESPONSES } from "../admission/refusal_response.ts";
import { byReason, type RefusalReason } from "../core/reasons.ts";
import { checkPlainObject, formatValue, typeError } from "../core/validate.ts";
import { answerSocket } from "./answer_socket.ts";
import type { Subject } from "./server_request.ts";

/** The answer to a refused request. */
export interface RequestAnswer {
  /** The status, 200 to 599. */
  readonly status: number;
  /** The header fields. `Content-Length` is set by itself. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * The body.
   *
   * @default {""}
   */
  readonly body?: string | Uint8Array;
}

/** The usual answers. */
export const ANSWERS: Readonly<Record<RefusalReason, RequestAnswer>> = byReason((reason) => {
  const { status, text, headers } = RESPONSES[reason];
  return { status, headers, body: `${text}\n` };
});

/** A field name, and a field value that needs no encoding. (RFC 9110, sections 5.1 and 5.5) */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t -~]*$/;

/**
 * Checks an answer, since a tunnel's is sent without anybody else's check.
 *
 * @throws {TypeError} If it is not valid.
 */
export function checkAnswer({ status, headers = {}, body = "" }: RequestAnswer): void {
  if (!(Number.isInteger(status) && status >= 200 && status <= 599)) {
    throw typeError("status of an answer", "a whole number from 200 to 599", status);
  }
  checkPlainObject("headers of an answer", headers);
  for (const [name, value] of Object.entries(headers)) {
    if (!NAME.test(name) || typeof value !== "string" || !VALUE.test(value)) {
      throw new TypeError(`headers of an answer must be valid, got ${formatValue(name)}: ${formatValue(value)}`);
    }
  }
  if (typeof body !== "string" && !(body instanceof Uint8Array)) {
    throw typeError("body of an answer", "a string or a Uint8Array", body);
  }
}

const encoder = new TextEncoder();

/**
 * Answers a refused request.
 *
 * @param shared Whether the connection may carry requests of other clients. It stays open then.
 */
export function refuseRequest(
  refused: Subject,
  { status, headers = {}, body = "" }: RequestAnswer,
  shared: boolean,
): void {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  const { connection, ...others } = lowerCased(headers);
  const fields = { ...others, "content-length": `${bytes.length}` };
  if (refused.kind === "response") {
    const response = refused.subject;
    response.writeHead(status, shared || connection === undefined ? fields : { ...fields, connection });
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

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function ignore(): void {}
