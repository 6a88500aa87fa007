/**
 * Answering refused sockets.
 *
 * @module
 */

import { sendAnswer } from "../conn/send_answer.ts";
import type { UnixAddr } from "./bun_conn.ts";
import type { BunSocketLike } from "./native.ts";
import { SocketConn } from "./socket_conn.ts";

/** What answers the client of a socket. It must be given the socket's events. */
export type AnsweringConn = SocketConn<UnixAddr>;

/** Nobody asks for the address. */
const NOWHERE = { transport: "unix", path: null } as const;

/** Sends an answer, and closes the socket when the client has closed or the time is over. */
export function answerSocket(socket: BunSocketLike, answer: Uint8Array, writeDeadline: number): AnsweringConn {
  const conn = new SocketConn(socket, NOWHERE, false);
  sendAnswer(conn, answer, writeDeadline, () => conn.close());
  return conn;
}
