/**
 * What refused clients are answered over HTTP.
 *
 * @module
 */

import type { RefusalReason } from "../core/slot.ts";

/** An answer to a refused client. */
export interface RefusalResponse {
  /** The status code. */
  readonly status: number;
  /** Its reason phrase. */
  readonly text: string;
  /** The header fields but for `Content-Length`, which the runtimes add. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The client must not go on to ask over the same connection, as each request costs something even if it is refused. */
const HEADERS = { "connection": "close", "content-type": "text/plain; charset=utf-8" };

/** Slots come back as soon as somebody leaves, so trying again in a second is worth while. */
const RETRY = { ...HEADERS, "retry-after": "1" };

const TOO_MANY: RefusalResponse = { status: 429, text: "Too Many Requests", headers: RETRY };
const UNAVAILABLE: RefusalResponse = { status: 503, text: "Service Unavailable", headers: RETRY };
const FORBIDDEN: RefusalResponse = { status: 403, text: "Forbidden", headers: HEADERS };

/**
 * Answers by reason: `429` where a client has too many, `503` where all together have, `403` where no wait would help.
 * They tell no limits. (RFC 6585, section 4; RFC 9110, sections 10.2.3, 15.5.4 and 15.6.4)
 */
export const ANSWERS: Readonly<Record<RefusalReason, RefusalResponse>> = {
  "client": TOO_MANY,
  "aggregate": TOO_MANY,
  "total": UNAVAILABLE,
  "blocked": FORBIDDEN,
  "unknown-address": FORBIDDEN,
};

/** The response for a reason. */
export function refusedResponse(reason: RefusalReason): Response {
  const { status, text, headers } = ANSWERS[reason];
  return new Response(`${text}\n`, { status, headers });
}
