/**
 * The HTTP responses to refused clients.
 *
 * @module
 */

import { byReason, REASONS, type RefusalReason } from "../core/reasons.ts";

/** A response to a refused client. */
export interface RefusalResponse {
  /** The status code. */
  readonly status: number;
  /** The reason phrase, and the body but for its line feed. */
  readonly text: string;
  /** The header fields, without `Content-Length`. */
  readonly headers: Readonly<Record<string, string>>;
}

const TEXTS = { 403: "Forbidden", 429: "Too Many Requests", 503: "Service Unavailable" } as const;

/** The client must not ask again over the same connection: each request costs something even if it is refused. */
const HEADERS = { "connection": "close", "content-type": "text/plain; charset=utf-8" };

/** A slot comes back as soon as a connection closes, so a second is long enough to wait. (RFC 9110, section 10.2.3) */
const RETRY = { ...HEADERS, "retry-after": "1" };

/** The responses. They contain no limits and no counts. */
export const RESPONSES: Readonly<Record<RefusalReason, RefusalResponse>> = byReason((reason) => {
  const { status } = REASONS[reason];
  return { status, text: TEXTS[status], headers: status === 403 ? HEADERS : RETRY };
});

/** The response for a reason, for fetch handlers. */
export function refusedResponse(reason: RefusalReason): Response {
  const { status, text, headers } = RESPONSES[reason];
  return new Response(`${text}\n`, { status, headers });
}
