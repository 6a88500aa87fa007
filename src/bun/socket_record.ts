/**
 * The records of sockets whose handlers are limited.
 *
 * @module
 */

import { OpenConn } from "../admission/open_conn.ts";
import type { AnsweringConn } from "./answer_socket.ts";
import type { UnreadData } from "./unread_data.ts";

/** The state of a socket at one limiter. The user's handlers are called once it is `"open"`. */
export type Stage = "pending" | "handshaking" | "open" | "refused";

/** The record of a socket. */
export class SocketRecord extends OpenConn {
  /** The limiter. */
  readonly owner: object;
  stage: Stage;
  /** Called when the socket closes while it is pending. */
  left: (() => void) | undefined = undefined;
  /** Whether a TLS handshake that has ended while the socket was pending has succeeded. */
  handshake: boolean | undefined = undefined;
  /** The data that a pending socket has received. */
  unread: UnreadData | undefined = undefined;
  /** The calls of handlers that a pending socket has missed: the end of the handshake, and data in the same packet. */
  missed: (() => unknown)[] | undefined = undefined;
  /** What answers the client of a refused socket, and has its events. */
  answering: AnsweringConn | undefined = undefined;

  constructor(owner: object, conn: object, under: OpenConn | undefined, stage: Stage) {
    super(conn, under);
    this.owner = owner;
    this.stage = stage;
  }
}
