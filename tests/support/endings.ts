/**
 * What ends a connection, and what does not, on Deno and on Bun alike. Where the descriptor is closed the slot is free at
 * once, and where it stays open the slot stays held.
 *
 * @module
 */

import { Duplex } from "node:stream";
import { assertStrictEquals } from "@std/assert";
import type { ConnLike, LimitedConn, Slot } from "@connlimit/connlimit";
import { fails, nameOfError } from "./failures.ts";
import { aWhile, type Client, ended } from "./net.ts";

/** A connection of either runtime. */
export type Conn = LimitedConn<ConnLike & { closeWrite(): Promise<void> }>;

/** What is done with a connection. */
export type Usage<C extends Conn = Conn> = (conn: C, client: Client) => unknown;

/** What closes it. */
export const CLOSES: Readonly<Record<string, Usage>> = {
  "close()": (conn) => conn.close(),
  "using": (conn) => {
    using _ = conn;
  },
  "close() while a read is pending": async (conn) => {
    const read = conn.read(new Uint8Array(1));
    conn.close();
    assertStrictEquals(await nameOfError(read), "Interrupted");
  },
  "closeWrite() and then close()": async (conn) => {
    await conn.closeWrite();
    conn.close();
  },
  "readable read to its end by for await": async (conn, { socket }) => {
    socket.end("four");
    assertStrictEquals(await drain(conn.readable), 4);
  },
  "readable read to its end by a reader": async (conn, { socket }) => {
    socket.end("four");
    const reader = conn.readable.getReader();
    while (!(await reader.read()).done);
  },
  "readable read to its end by a BYOB reader": async (conn, { socket }) => {
    socket.end("four");
    const reader = conn.readable.getReader({ mode: "byob" });
    let text = "";
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(3));
      if (done) break;
      text += new TextDecoder().decode(value);
    }
    assertStrictEquals(text, "four");
  },
  "readable read to its end by a Response": async (conn, { socket }) => {
    socket.end("four");
    assertStrictEquals(await new Response(conn.readable).text(), "four");
  },
  "readable read to its end through a TextDecoderStream": async (conn, { socket }) => {
    socket.end("four");
    let text = "";
    for await (const chunk of conn.readable.pipeThrough(new TextDecoderStream())) text += chunk;
    assertStrictEquals(text, "four");
  },
  "readable left by break": async (conn, { socket }) => {
    socket.write("four");
    for await (const chunk of conn.readable) {
      assertStrictEquals(chunk.constructor, Uint8Array);
      break;
    }
  },
  "readable.cancel()": (conn) => conn.readable.cancel(),
  "readable.cancel() while a read is pending": async (conn) => {
    const reader = conn.readable.getReader();
    const read = reader.read();
    await reader.cancel();
    assertStrictEquals((await read).done, true);
  },
  "readable.tee(), both cancelled": async (conn) => {
    const [one, other] = conn.readable.tee();
    await Promise.all([one.cancel(), other.cancel()]);
  },
  "readable failed by a RST": async (conn, client) => {
    client.reset();
    assertStrictEquals(await nameOfError(drain(conn.readable)), "ConnectionReset");
  },
  "writable.close()": (conn) => conn.writable.close(),
  "writable.abort()": (conn) => conn.writable.abort(),
  "writable failed by a RST": async (conn, client) => {
    const writer = conn.writable.getWriter();
    client.reset();
    await fails((async () => {
      for (;;) await writer.write(new Uint8Array(1 << 16));
    })());
  },
  "pipeTo() after the client's FIN": async (conn, client) => {
    client.socket.end("echo");
    await conn.readable.pipeTo(conn.writable);
    assertStrictEquals(await ended(client), "echo");
  },
  "pipeTo() after the client's RST": async (conn, client) => {
    const pipe = conn.readable.pipeTo(conn.writable);
    client.reset();
    await fails(pipe);
  },
  "pipeTo() aborted by a signal": async (conn) => {
    const abort = new AbortController();
    const pipe = conn.readable.pipeTo(conn.writable, { signal: abort.signal });
    abort.abort();
    await fails(pipe);
  },
  "pipeTo() with preventClose, preventAbort and preventCancel after the client's FIN": async (conn, client) => {
    const pipe = conn.readable.pipeTo(conn.writable, { preventClose: true, preventAbort: true, preventCancel: true });
    client.fin();
    await pipe;
  },
  "Duplex.fromWeb() after the client's FIN": async (conn, client) => {
    const duplex = duplexOf(conn);
    duplex.resume();
    client.fin();
    await new Promise((resolve) => duplex.on("close", resolve));
  },
  "Duplex.fromWeb() after the client's RST": async (conn, client) => {
    const duplex = duplexOf(conn);
    duplex.resume();
    duplex.on("error", () => {});
    client.reset();
    await new Promise((resolve) => duplex.on("close", resolve));
  },
  "Duplex.fromWeb() destroyed": async (conn) => {
    const duplex = duplexOf(conn);
    duplex.on("error", () => {});
    duplex.destroy();
    await new Promise((resolve) => duplex.on("close", resolve));
  },
};

/** What leaves it open. */
export const STAYS_OPEN: Readonly<Record<string, Usage>> = {
  "nothing at all": () => {},
  "the client's FIN, with nobody reading": async (_, client) => {
    // TLS reads for the handshake, and if the client is quick it sees the end then.
    await aWhile();
    client.fin();
  },
  "closeWrite()": (conn) => conn.closeWrite(),
  "readable and writable touched": (conn) => [conn.readable, conn.writable],
  "getReader() and releaseLock()": (conn) => conn.readable.getReader().releaseLock(),
  "one branch of tee() cancelled": (conn) => void conn.readable.tee()[0].cancel(),
};

/** Reads to the end. Resolves to how many bytes there were. */
export async function drain(readable: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of readable) bytes += chunk.length;
  return bytes;
}

/** A duplex stream of Node's. By its types it takes none but Node's own web streams; it takes any. */
function duplexOf(conn: Conn): Duplex {
  return Duplex.fromWeb(conn as never);
}

/** Writes until the client, who does not read, takes no more. Resolves with the writing, which is stuck. */
export async function stuck(
  write: (data: Uint8Array) => Promise<unknown>,
  { socket }: Client,
): Promise<{ writing: Promise<never> }> {
  socket.pause();
  let count = 0;
  const writing = (async (): Promise<never> => {
    for (;; count++) await write(new Uint8Array(1 << 20));
  })();
  writing.catch(() => {});
  for (let seen = -1; seen !== count;) {
    seen = count;
    await aWhile();
  }
  return { writing };
}

/** A slot of nobody's, with what is to be done when it is given back. */
export function slotOf(release: () => void): Slot {
  return { admitted: true, client: "a client", released: false, release, [Symbol.dispose]() {} };
}
