/**
 * What a failed `accept()` means. Deno's errors are told by their names and codes, so that nothing here needs Deno.
 *
 * @module
 */

/** What is to be done about a failed accept. */
export type AcceptErrorKind =
  /** The listener is closed: end. */
  | "closed"
  /** Another accept is under way: the caller's mistake. */
  | "busy"
  /** The process or the system is out of something: wait, since trying again at once spins. */
  | "exhausted"
  /** One client's connection failed, such as by a reset before it was accepted: go on. */
  | "connection";

/** Out of file descriptors, in the process or in the system; out of memory for sockets. (accept(2)) */
const EXHAUSTED = new Set<unknown>(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** Tells what a failed accept means. */
export function classifyAcceptError(error: unknown): AcceptErrorKind {
  const { name, code } = error instanceof Error ? error as Error & { code?: unknown } : { name: "", code: "" };
  if (name === "BadResource") return "closed";
  if (name === "Busy") return "busy";
  return EXHAUSTED.has(code) ? "exhausted" : "connection";
}
