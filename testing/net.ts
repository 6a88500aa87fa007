/**
 * Clients on loopback, and waiting with a deadline, on every runtime.
 *
 * @module
 */

import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A client's socket. Node's sockets can choose their own address and can reset. */
export interface Client extends Disposable {
  readonly socket: Socket;
  /** Ends the connection with a FIN and takes no notice of what comes. */
  fin(): void;
  /** Ends the connection with a RST. */
  reset(): void;
}

/** Connects from a loopback address of choice. */
export async function connectFrom(localAddress: string, port: number, host = "127.0.0.1"): Promise<Client> {
  const socket = connect({ port, host, localAddress });
  return await connected(socket);
}

/** Connects to a Unix socket. */
export async function connectToPath(path: string): Promise<Client> {
  return await connected(connect(path));
}

/** A client by a socket, once that is connected: by default, once TCP is. */
export async function connected(socket: Socket, event = "connect"): Promise<Client> {
  // Resets are what many tests are about; those that care listen for themselves.
  socket.on("error", () => {});
  await once(socket, event);
  return {
    socket,
    fin: () => void socket.end(),
    reset() {
      // Node resets neither a TLS socket, but the one below, nor a Unix socket.
      const under = (socket as Socket & { readonly _parent?: Socket | null })._parent ?? socket;
      if (under.localAddress === undefined) socket.destroy();
      else under.resetAndDestroy();
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** Milliseconds: ten times what any wait takes on a busy machine. */
const DEADLINE = 10_000;

/** Waits for a condition. Fails, saying for what, when it has not come about by the deadline. */
export async function eventually(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const start = performance.now(); !(await condition());) {
    if (performance.now() - start > DEADLINE) throw new Error(`waited ${DEADLINE} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Waits for a promise with a deadline. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${DEADLINE} ms for ${what}`)), DEADLINE);
  });
  return await Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}
