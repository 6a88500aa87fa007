/**
 * The HTTP responses to refused clients.
 *
 * @module
 */

import { byReason, REASONS, type RefusalReason } from "../core/reasons.ts";
import type { Refusal } from "../core/slot.ts";

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

/** The response to a refused client, which may know when its next connection is due. */
export function responseTo({ reason, retryAfter }: Pick<Refusal, "reason" | "retryAfter">): RefusalResponse {
  const response = RESPONSES[reason];
  if (retryAfter === undefined) return response;
  return { ...response, headers: { ...RETRY, "retry-after": `${retryAfter}` } };
}

/** The same, for fetch handlers. */
export function refusedResponse(refusal: RefusalReason | Refusal): Response {
  const { status, text, headers } = typeof refusal === "string" ? RESPONSES[refusal] : responseTo(refusal);
  return new Response(`${text}\n`, { status, headers });
}
