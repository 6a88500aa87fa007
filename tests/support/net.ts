/**
 * Real connections for tests, on loopback.
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
  // Resets are what many tests are about; those that care listen for themselves.
  socket.on("error", () => {});
  await once(socket, "connect");
  return {
    socket,
    fin: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** A client and the connection that Deno has accepted from it. */
export async function pair(): Promise<[Client, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return await Promise.all([connectFrom("127.0.0.1", listener.addr.port), listener.accept()]);
}

/** Echoes whatever comes until the listener is closed, and leaves closing to the streams. */
export async function echoAll(listener: AsyncIterable<Deno.Conn>): Promise<void> {
  for await (const conn of listener) conn.readable.pipeTo(conn.writable).catch(() => {});
}

/** A certificate for `localhost`, which signs itself, with its key. */
export async function certificate(): Promise<{ cert: string; key: string }> {
  const read = (name: string) => Deno.readTextFile(new URL(`../deno/tls/localhost.${name}`, import.meta.url));
  return { cert: await read("crt"), key: await read("key") };
}

/** Waits for the client's socket to be closed, reading what comes until then. Resolves to the text read. */
export async function ended({ socket }: Client): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => text += chunk);
  // Not `once()`, which rejects where an error comes first.
  const closed = new Promise((resolve) => socket.once("close", resolve));
  if (!socket.destroyed) await within(closed, "the client's socket to be closed");
  return text;
}

/** Ten times what any of these takes on a busy machine. */
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

/**
 * Whether a TCP connection's descriptor is still Deno's; asked through a method that fails with `BadResource` once it is
 * not. (With a write under way it fails too, in another way.)
 */
export function isOpen(conn: Deno.Conn): boolean {
  try {
    (conn as Deno.TcpConn).setNoDelay(true);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.BadResource);
  }
}

/** How many sockets this process has open, by the system's count. */
export function openSockets(): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith("socket:")) count++;
    } catch {
      // The descriptor of the directory itself, closed by now.
    }
  }
  return count;
}
