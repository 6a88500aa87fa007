/**
 * Handing over sockets that were pending.
 *
 * @module
 */

import { type BunSocketLike, isTls, type SocketHandlers } from "./native.ts";
import type { SocketRecord } from "./socket_record.ts";

/** The handlers that may be held back. */
export interface Handlers extends SocketHandlers {
  end?(socket: BunSocketLike): unknown;
  error?(socket: BunSocketLike, error: unknown): unknown;
}

/** Hands over a socket that was pending, with the events that it has missed. */
export function openLate(
  socket: BunSocketLike,
  record: SocketRecord,
  { open, handshake, error: onError }: Handlers,
): void {
  const handshaking = handshake == null && isTls(socket) && record.handshake !== true;
  // Before `open`, which may pause it again.
  if (!record.unread!.flowing) socket.resume();
  if (handshaking) {
    record.stage = "handshaking";
    return;
  }
  const fail = (error: unknown) => {
    if (onError != null) return onError.call(socket, socket, error);
    queueMicrotask(() => {
      throw error;
    });
  };
  try {
    open?.call(socket, socket);
  } catch (error) {
    try {
      fail(error);
    } finally {
      socket.terminate();
    }
  }
  const { missed = [] } = record;
  record.missed = record.unread = undefined;
  for (const call of missed) {
    // No handler hears anything more of a socket that another has closed.
    if (record.ended) return;
    try {
      call();
    } catch (error) {
      fail(error);
    }
  }
}
