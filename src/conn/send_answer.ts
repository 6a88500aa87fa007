/**
 * Answering refused connections.
 *
 * @module
 */

import { setTimeout } from "node:timers";
import { OpenConn, type OpenConns } from "../admission/open_conn.ts";
import { MAX_DISCARDED } from "../admission/refusal_answer.ts";
import type { ConnLike } from "./limited_conn.ts";

/** A refused connection. */
interface AnswerableConn extends Pick<ConnLike, "read" | "write"> {
  /** Ends this side alone. */
  closeWrite?(): Promise<void>;
}

/** What is read from answered clients. Nobody looks at it, so all of them share it. */
const discarded = new Uint8Array(64 << 10);

/**
 * Sends an answer, and closes the connection when the client has closed or the time is over.
 *
 * A close with unread data in the kernel resets the connection, and the answer is lost. So the server ends its side first,
 * and reads on. It reads while it writes, for clients that send all that they have before they read.
 *
 * @param close Closes the connection.
 * @param answering Where the answer is entered meanwhile; to dispose of it is to close the connection.
 */
export function sendAnswer(
  conn: AnswerableConn,
  answer: Uint8Array,
  writeDeadline: number,
  close: () => void,
  answering?: OpenConns,
): void {
  const end = () => {
    if (record.ended) return;
    record.end();
    clearTimeout(timer);
    close();
  };
  const record = new OpenConn({ [Symbol.dispose]: end }, undefined);
  record.hold(undefined, answering);
  const timer = setTimeout(end, writeDeadline);
  // It fails where the client resets, and where the connection is closed.
  Promise.all([write(conn, answer), discard(conn)]).then(end, end);
}

async function write(conn: AnswerableConn, answer: Uint8Array): Promise<void> {
  for (let rest = answer; rest.length > 0;) rest = rest.subarray(await conn.write(rest));
  await conn.closeWrite?.();
}

/** Reads until the client ends its side. Rejects where it sends too much. */
async function discard(conn: AnswerableConn): Promise<void> {
  for (let count, left = MAX_DISCARDED; (count = await conn.read(discarded)) !== null;) {
    if ((left -= count) < 0) throw new Error("too much");
  }
}
