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

/** A socket's number by the key of its deadlines; -1 while it has none. */
type Numbered = CountedSocket & { [key: symbol]: number };

/** What must know what the events of a server say about its sockets. */
export interface Watcher {
  /** Whether the server has the limiter no more. */
  detached: boolean;
  /** The connections for which it must know it nonetheless. */
  readonly open: number;
  /** A socket has become a tunnel. */
  upgrade(socket: CountedSocket): void;
}

/** The deadlines that one limiter has for one server. */
export class ServerDeadlines implements Watch<CountedSocket>, Watcher {
  /** Whether the server has the limiter no more. Connections that are open keep their deadlines. */
  detached = false;
  /** The number of connections, with deadlines at the moment or without. */
  open = 0;
  readonly #key = Symbol("connlimit.deadlines");
  #deadlines!: Deadlines<CountedSocket>;
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
  add(socket: CountedSocket): void {
    this.open++;
    noteAdmitted(socket);
    (socket as Numbered)[this.#key] = this.#begins ? this.#deadlines.add(socket, this.#pending?.waited) : -1;
  }

  /** Begins anew with a socket that has become a tunnel, if it was admitted here. */
  upgrade(socket: CountedSocket): void {
    const number = (socket as Numbered)[this.#key];
    if (number === undefined || socket.destroyed) return;
    if (number < 0) (socket as Numbered)[this.#key] = this.#deadlines.add(socket);
    else this.#deadlines.restart(number);
  }

  /** Ends with a socket. */
  delete(socket: CountedSocket): void {
    this.open--;
    const number = (socket as Numbered)[this.#key];
    (socket as Numbered)[this.#key] = -1;
    if (number !== undefined && number >= 0) this.#deadlines.delete(number);
  }

  /** The runtimes have timeouts of their own for HTTP/1, and no request is cut. */
  chargeOf(socket: CountedSocket): Charge {
    if (!this.#http || isUpgraded(socket)) return "ours";
    const session = sessionOf(socket);
    if (session !== undefined) return session[STREAMS]! > 0 ? "busy" : "ours";
    return this.#tls && secureOf(socket) === undefined ? "ours" : "theirs";
  }

  hasSpoken(socket: CountedSocket): boolean {
    return hasSpoken(socket, this.#tls);
  }

  activityOf(socket: CountedSocket): number {
    return activityOf(socket);
  }

  /** With TLS, hooks are to talk through it. */
  present(socket: CountedSocket): CountedSocket {
    return secureOf(socket) ?? socket;
  }

  close(socket: CountedSocket): void {
    // A session that is told to close takes no further streams, and ends with those that it has.
    if (this.chargeOf(socket) === "busy") sessionOf(socket)!.close();
    else closeSocket(socket);
  }
}

/** Notes what an event of a server says about a socket, for all that must know it. */
export function watchEvent(event: unknown, first: unknown, second: unknown, all: Iterable<Watcher>): void {
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
      for (const watcher of all) watcher.upgrade(socket);
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
