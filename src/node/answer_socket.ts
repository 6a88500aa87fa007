/**
 * Answering refused sockets.
 *
 * @module
 */

import { setTimeout } from "node:timers";
import { MAX_DISCARDED } from "../admission/refusal_answer.ts";
import type { ServerSocket } from "./server_like.ts";

/**
 * Sends an answer, and closes the socket when the client has closed or the time is over.
 *
 * A close with unread data in the kernel resets the connection, and the answer is lost. So the server ends its side first,
 * and reads on.
 */
export function answerSocket(socket: ServerSocket, answer: Uint8Array, writeDeadline: number): void {
  const timer = setTimeout(() => socket.destroy(), writeDeadline);
  socket.on("close", () => clearTimeout(timer));
  let left = MAX_DISCARDED;
  socket.on("data", (chunk: { readonly length: number }) => {
    if ((left -= chunk.length) < 0) socket.destroy();
  });
  socket.resume();
  socket.end(answer);
}
