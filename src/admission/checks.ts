/**
 * What the library finds wrong with a deployment while it runs, and says once.
 *
 * @module
 */

import { callHook, type ErrorHook } from "./hooks.ts";

const NO_INFO = "limitRequests() was called without the runtime's second argument; pass it on to the limited handler";

/** The name of a check. */
export type Check =
  | "proxy-refused"
  | "client-unnamed"
  | "address-missing"
  | "address-unknown"
  | "request-copied"
  | "end-unseen"
  | "websocket-unlimited"
  | "upgrade-unlimited"
  | "accept-failed"
  | "answer-lost";

/**
 * The checks, by the headings of their sections in docs/checks.md, with what they say; an empty text where each finding has
 * one of its own.
 */
export const CHECKS: Readonly<Record<Check, string>> = {
  "proxy-refused": "",
  "client-unnamed": "",
  "address-missing": `${NO_INFO}, or set the option client; until then requests are refused as "unknown-address"`,
  "address-unknown":
    'the connection has no IP address, so the request is refused as "unknown-address"; set the option client',
  "request-copied":
    'Bun has no address for the request, so it is refused as "unknown-address"; pass the Request of Bun.serve to the ' +
    "limited handler, not a copy, or set the option client",
  "end-unseen": `${NO_INFO}; until then a slot is released before the response has ended`,
  "websocket-unlimited":
    "a WebSocket holds no slot and is not limited; open it by upgradeWebSocket() of the entry point ./http, with the " +
    "request that the handler was given",
  "upgrade-unlimited":
    "a WebSocket holds no slot and is not limited; call server.upgrade() as a method, since the one read before the " +
    "first request is not limitRequests()'s",
  "accept-failed": "cannot accept, trying again (printed once; set onError to see all)",
  "answer-lost": "an answer is lost (further ones are not printed)",
};

/** The findings that have been told, by what they are about. */
const told = new WeakMap<object, Set<string>>();

/** Whether a finding about something is told for the first time. There must be few of each thing. */
function isNew(about: object, finding: string): boolean {
  let findings = told.get(about);
  if (findings === undefined) told.set(about, findings = new Set());
  return findings.size < findings.add(finding).size;
}

const linkOf = (check: Check) => `(see docs/checks.md#${check})`;

/**
 * Tells `onError`, or prints, that something is set up in a way that cannot be meant: once for each finding, however many
 * connections meet it.
 *
 * @param about What is set up so, such as a hook. It has findings of its own.
 * @param messageOf Makes the message, which takes time, when it is told.
 * @param finding What else there is of the check.
 */
export function tellOnce(
  about: object,
  check: Check,
  onError: ErrorHook | undefined,
  messageOf: () => string = () => CHECKS[check],
  finding = "",
): void {
  if (!isNew(about, `${check} ${finding}`)) return;
  const message = `${messageOf()} ${linkOf(check)}`;
  if (onError === undefined) console.error(`connlimit: ${message}`);
  else callHook(onError, undefined, new TypeError(message));
}

/** Prints the first error of a check, where there is no `onError` that receives all of them. */
export function printOnce(about: object, check: Check, error: unknown): void {
  if (isNew(about, check)) console.error(`connlimit: ${CHECKS[check]} ${linkOf(check)}:`, error);
}
