/**
 * The kinds of accept errors. Deno's errors are recognized by `name` and `code`, so nothing here needs Deno.
 *
 * @module
 */

/** Why an accept failed, and what the accept loop does about it. */
export type AcceptErrorKind =
  /** The listener is closed. The loop ends. */
  | "closed"
  /** Another accept is pending: the caller's mistake. The loop passes the error on. */
  | "busy"
  /** The process or the system has run out of a resource. The loop waits: an immediate retry would spin. */
  | "exhausted"
  /** One client's connection failed, for example by a reset in the backlog. The loop continues. */
  | "connection";

/** The process or the system has no file descriptors left, or no memory for sockets. (accept(2)) */
const EXHAUSTED_CODES = new Set<unknown>(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** Classifies the error of a failed accept. */
export function classifyAcceptError(error: unknown): AcceptErrorKind {
  const { name, code } = error instanceof Error ? error as Error & { code?: unknown } : { name: "", code: "" };
  if (name === "BadResource") return "closed";
  if (name === "Busy") return "busy";
  return EXHAUSTED_CODES.has(code) ? "exhausted" : "connection";
}
