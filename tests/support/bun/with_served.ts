/**
 * Connections of a listener whose handlers are limited, from both sides.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { type Client, eventually, leavingNoSocket } from "../net.ts";
import { findSockets } from "../platform.ts";
import { address, connect, type Kind } from "./kinds.ts";
import { type IsOpen, served } from "./test_sockets.ts";

export type Socket = Bun.Socket<undefined>;
export type Handlers = Bun.SocketHandler<undefined>;
export type Listener = Bun.TCPSocketListener<undefined>;

/** Nothing to do; but Bun wants a handler for data. */
export const data = (): void => {};

/** A listener for connections of a kind. */
export function serve(kind: Kind, handlers: Handlers): Listener {
  return Bun.listen<undefined>({ ...address(kind), socket: handlers });
}

/** Both sides. */
export interface Served {
  readonly socket: Socket;
  readonly client: Client;
  readonly limiter: Limiter;
  readonly isOpen: IsOpen;
  readonly listener: Listener;
  /** The handlers that were called, by name. */
  readonly events: string[];
}

/** An admitted connection, all of whose handlers are noted, and a check that nothing of it is left. */
export function withServed(
  kind: Kind,
  use: (served: Served) => unknown,
  handlers: Partial<Handlers> = {},
): Promise<void> {
  return leavingNoSocket(async () => {
    const limiter = new Limiter();
    const events: string[] = [];
    let socket: Socket | undefined;
    const noting: Handlers = {
      open(accepted) {
        events.push("open");
        socket = accepted;
        return handlers.open?.(accepted);
      },
      data(socket, chunk) {
        events.push("data");
        return handlers.data?.(socket, chunk);
      },
      end(socket) {
        events.push("end");
        return handlers.end?.(socket);
      },
      error(socket, error) {
        events.push(`error: ${error.message}`);
        return handlers.error?.(socket, error);
      },
      close(socket, error) {
        events.push("close");
        return handlers.close?.(socket, error);
      },
    };
    const listener = serve(kind, limitSocketHandler(limiter, noting));
    const others = findSockets();
    const client = await connect(kind, listener.port);
    await eventually(() => socket !== undefined, "the connection to be open");
    try {
      await use({ socket: socket!, client, limiter, isOpen: served(others, client), listener, events });
    } finally {
      client[Symbol.dispose]();
      listener.stop(true);
    }
    await eventually(() => limiter.open === 0, "the slot to be free");
    assertEquals(events.filter((event) => event === "open" || event === "close"), ["open", "close"]);
  })();
}
