/**
 * Deno's own connections and child processes, for the tests that are Deno's alone.
 *
 * @module
 */

import { answers, type Client, connectFrom, eventually } from "./net.ts";
import type { Lack } from "./platform.ts";

/** A test that is skipped where something is lacking. Its name then says what. */
export function testUnless(lack: Lack, name: string, run: () => Promise<void>): void {
  Deno.test(lack ? `${name} (skipped: ${lack})` : name, { ignore: lack !== false }, run);
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

/** Runs a server's program, from when it listens at `port` until `use` is done with it. */
export async function whileServing(
  program: Deno.Command,
  port: number,
  use: (child: Deno.ChildProcess) => Promise<void>,
): Promise<void> {
  const child = program.spawn();
  try {
    await eventually(() => answers(port), "the server to listen");
    await use(child);
  } finally {
    try {
      child.kill();
    } catch {
      // It has ended by itself.
    }
    await child.status;
  }
}
