/**
 * Closing refused sockets on Bun.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { ServerSocket } from "./server_like.ts";

/** Refused sockets that wait to be closed, at most, since each has a descriptor. */
export const MAX_WAITING = 1_024;

/** Those that wait for the end of this turn of the event loop. Absent before the first refusal of a turn. */
let waiting: ServerSocket[] | undefined;

/**
 * Closes a refused socket at once, if it is the first in this turn of the event loop, and otherwise at the end of the turn.
 *
 * Bun accepts until its backlog is empty. Clients that are closed at once come back at once, so a flood of a thousand
 * connections keeps Bun accepting for 150 ms and more, and meanwhile it serves nobody. Clients that are closed later come
 * back when the others have been served.
 */
export function closeInTurn(socket: ServerSocket): void {
  if (waiting === undefined) {
    waiting = [];
    setImmediate(endTurn);
    socket.destroy();
    return;
  }
  // It may be reset before it is closed.
  socket.on("error", ignore);
  if (waiting.push(socket) === MAX_WAITING) closeWaiting();
}

function endTurn(): void {
  closeWaiting();
  waiting = undefined;
}

function closeWaiting(): void {
  for (const socket of waiting!.splice(0)) {
    try {
      socket.destroy();
    } catch (error) {
      // Another has replaced the method. The others are closed all the same.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function ignore(): void {}
