/**
 * The deadlines of a server's requests and tunnels.
 *
 * @module
 */

import { type Charge, type Deadline, Deadlines, type Watch } from "../admission/deadlines.ts";
import type { Exchange, Subject } from "./server_request.ts";
import { activityOf, closeSocket, type CountedSocket } from "./socket_activity.ts";

/** The error code by which a stream of HTTP/2 is cancelled. (RFC 9113, section 7) */
const CANCEL = 8;

/** The deadlines that one limiter has for the requests of one server. */
export class RequestDeadlines implements Watch<Exchange> {
  readonly #timesRequests: boolean;
  #deadlines!: Deadlines<Exchange>;

  /** The deadlines that checked options ask for, if they ask for any. */
  static of(options: Deadline, limiter: object): RequestDeadlines | undefined {
    const made = new RequestDeadlines(options.maxAge ?? Infinity);
    const deadlines = Deadlines.of(options, limiter, made);
    if (deadlines === undefined) return undefined;
    made.#deadlines = deadlines;
    return made;
  }

  private constructor(maxAge: number) {
    this.#timesRequests = maxAge !== Infinity;
  }

  /** Whether what a request has become has deadlines. */
  concerns(kind: Subject["kind"]): boolean {
    return this.#timesRequests || kind === "tunnel";
  }

  add(exchange: Exchange): number {
    return this.#deadlines.add(exchange);
  }

  delete(entry: number): void {
    this.#deadlines.delete(entry);
  }

  /** Only tunnels are idle: a handler may take its time. */
  chargeOf({ kind }: Exchange): Charge {
    return kind === "tunnel" ? "ours" : "busy";
  }

  activityOf({ kind, subject }: Exchange): number {
    return kind === "tunnel" ? activityOf(subject as unknown as CountedSocket) : 0;
  }

  /** On Bun, `destroy()` of a response sends one. So the connection is closed. */
  close({ kind, subject, conn }: Exchange): void {
    if (kind === "stream") subject.close(CANCEL);
    else closeSocket((kind === "tunnel" ? subject : conn) as unknown as CountedSocket);
  }
}
