/**
 * The deadlines of a server's connections.
 *
 * @module
 */

import { errorMonitor } from "node:events";
import { type Charge, type Deadline, Deadlines, type Watch } from "../admission/deadlines.ts";
import type { ServerLike } from "./server_like.ts";
import type { StreamLike } from "./server_request.ts";
import {
  activityOf,
  closeSocket,
  type CountedSocket,
  hasSpoken,
  isUpgraded,
  noteAdmitted,
  noteSecure,
  noteSession,
  noteUpgraded,
  secureOf,
  type Session,
  sessionOf,
  STREAMS,
} from "./socket_activity.ts";

/** A record of a socket that has been admitted. */
interface Timed {
  readonly conn: object;
  /** The number by which it is known; -1 while it has no deadlines. */
  entry: number;
}

const socketOf = ({ conn }: Timed) => conn as CountedSocket;

/** The deadlines that one limiter has for one server. */
export class ServerDeadlines implements Watch<Timed> {
  #deadlines!: Deadlines<Timed>;
  readonly #pending: { readonly waited: number } | undefined;
  readonly #http: boolean;
  readonly #tls: boolean;
  /** Whether connections have deadlines from the beginning: those of HTTP/1 only for their first byte, where it shows. */
  readonly #begins: boolean;

  /**
   * The deadlines that checked options ask for, if they ask for any.
   *
   * @param pending The stage in which sockets were pending.
   */
  static of(
    options: Deadline,
    server: ServerLike,
    limiter: object,
    pending?: { readonly waited: number },
  ): ServerDeadlines | undefined {
    const made = new ServerDeadlines(server, pending);
    const deadlines = Deadlines.of(options, limiter, made);
    if (deadlines === undefined) return undefined;
    made.#deadlines = deadlines;
    return made;
  }

  private constructor(server: ServerLike, pending: { readonly waited: number } | undefined) {
    this.#pending = pending;
    this.#http = "setTimeout" in server;
    this.#tls = "setSecureContext" in server;
    this.#begins = !("Bun" in globalThis && this.#http && !("updateSettings" in server));
  }

  /** Begins with a socket that has been admitted. */
  add(record: Timed): void {
    noteAdmitted(socketOf(record));
    if (this.#begins) record.entry = this.#deadlines.add(record, this.#pending?.waited);
  }

  /** Begins anew with a socket that has become a tunnel. */
  upgrade(record: Timed): void {
    if (record.entry < 0) record.entry = this.#deadlines.add(record);
    else this.#deadlines.restart(record.entry);
  }

  /** Ends with a socket. */
  delete(record: Timed): void {
    if (record.entry >= 0) this.#deadlines.delete(record.entry);
    record.entry = -1;
  }

  /** The runtimes have timeouts of their own for HTTP/1, and no request is cut. */
  chargeOf(record: Timed): Charge {
    const socket = socketOf(record);
    if (!this.#http || isUpgraded(socket)) return "ours";
    const session = sessionOf(socket);
    if (session !== undefined) return session[STREAMS]! > 0 ? "busy" : "ours";
    return this.#tls && secureOf(socket) === undefined ? "ours" : "theirs";
  }

  hasSpoken(record: Timed): boolean {
    return hasSpoken(socketOf(record), this.#tls);
  }

  activityOf(record: Timed): number {
    return activityOf(socketOf(record));
  }

  /** With TLS, hooks are to talk through it. */
  present(record: Timed): CountedSocket {
    const socket = socketOf(record);
    return secureOf(socket) ?? socket;
  }

  close(record: Timed): void {
    const socket = socketOf(record);
    // A session that is told to close takes no further streams, and ends with those that it has.
    if (this.chargeOf(record) === "busy") sessionOf(socket)!.close();
    else closeSocket(socket);
  }
}

/** The connections of a limiter. */
interface Watched {
  upgrade(socket: CountedSocket): void;
}

/** Notes what an event of a server says about a socket, for all limiters of the server. */
export function watchEvent(event: unknown, first: unknown, second: unknown, all: Iterable<Watched>): void {
  switch (event) {
    case "secureConnection":
      return noteSecure(first as CountedSocket);
    case "session":
      return noteSession(first as Session);
    case "stream":
      return noteStream(first as StreamLike);
    case "upgrade":
    case "connect": {
      // One of HTTP/2 is a stream.
      if ((first as { stream?: unknown }).stream !== undefined) return;
      const socket = noteUpgraded(second as CountedSocket);
      for (const conns of all) conns.upgrade(socket);
    }
  }
}

/** Counts a stream while it is in flight. */
function noteStream(stream: StreamLike): void {
  const session = stream.session as unknown as Session | undefined;
  if (session?.[STREAMS] === undefined || stream.destroyed) return;
  session[STREAMS]++;
  let open = true;
  const end = () => {
    if (open) session[STREAMS]!--;
    open = false;
  };
  stream.on("close", end);
  // On Deno a stream does not close after an error.
  stream.on(errorMonitor, end);
}
