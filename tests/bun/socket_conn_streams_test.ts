/**
 * Bulk data arrives complete, and little of it is in memory at any time.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { aWhile, ended, leavingNoSocket, within } from "../support/net.ts";
import { notLinux } from "../support/platform.ts";
import { connect, type Kind, KINDS, PLAIN, TLS } from "../support/bun/kinds.ts";
import { limited } from "../support/bun/limited.ts";
import { firstLine, withBun } from "../support/bun/with_bun.ts";
import { echoes, MB, send } from "../support/bulk.ts";

/** The most memory, in megabytes, that a process has had at once. */
function peakMemory(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
  return Number(kilobytes) / 1024;
}

/** Runs an echo server in a process of its own. */
function withEchoServer(kind: Kind, use: (port: number, pid: number) => Promise<void>): Promise<void> {
  const script = fileURLToPath(new URL("../support/bun/echo_server.ts", import.meta.url));
  return withBun([script, JSON.stringify(kind)], async (program) => {
    await use(Number(await firstLine(program)), program.pid);
  });
}

/** Sends to an echo server, and ends the connection. Resolves to whether what came back is what was sent. */
async function visit(kind: Kind, port: number, megabytes: number): Promise<boolean> {
  using client = await connect(kind, port);
  const closed = new Promise((resolve) => client.socket.once("close", resolve));
  const end = () => client.socket.end();
  // What is not half-open is closed by Bun when it sees the client's end, and TLS sees it before the data is dealt with.
  const endsEarly = !kind.tls || kind.halfOpen;
  const echoed = await echoes(client, megabytes, () => endsEarly && end());
  if (!endsEarly) end();
  await within(closed, "the end");
  return echoed;
}

/** A client that knows how many bytes it has got rid of, which Node's sockets do not say. */
async function fastSender(kind: Kind, port: number) {
  const { promise: opened, resolve } = Promise.withResolvers<void>();
  let drained = 0;
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    ...(kind.tls ? { tls: { rejectUnauthorized: false } } : {}),
    socket: { open: () => resolve(), data() {}, drain: () => void drained++ },
  });
  await opened;
  return {
    /** Sends until nobody takes anything any more. Resolves to how many bytes were taken. */
    async fill(): Promise<number> {
      let sent = 0;
      for (let seen = -1; seen !== drained; await aWhile()) {
        seen = drained;
        for (let count; (count = socket.write(new Uint8Array(MB))) > 0;) sent += count;
        await aWhile();
      }
      return sent;
    },
    end: () => void socket.end(),
  };
}

for (const kind of KINDS) {
  test(`SocketConn.readable.pipeTo() echoes 100 MB to a slow reader within 100 MB of memory (${kind.name})`, {
    skip: notLinux,
  }, () =>
    withEchoServer(kind, async (port, pid) => {
      assertStrictEquals(await visit(kind, port, 100), true);
      // Its slot, the only one, is free again.
      assertStrictEquals(await visit(kind, port, 1), true);
      assert(peakMemory(pid) <= 100, `${peakMemory(pid)} MB`);
    }));

  test(
    `SocketConn takes from a fast sender no more than is read (${kind.name})`,
    leavingNoSocket(async () => {
      using listener = limited(kind);
      const sender = await fastSender(kind, listener.addr.port);
      using conn = await listener.accept();
      // Nobody reads: it is left with what the kernel has room for.
      assert(await sender.fill() < 16 * MB, "more than the kernel has room for");
      await conn.read(new Uint8Array(1));
      assert(await sender.fill() < MB, "a read of one byte makes room for a megabyte");
      const reader = conn.readable.getReader();
      await reader.read();
      await reader.read();
      assert(await sender.fill() < 4 * MB, "two reads make room for four megabytes");
      sender.end();
      while (!(await within(reader.read(), "the end")).done);
      assertStrictEquals(listener.limiter.open, 0);
    }),
  );

  test(
    `SocketConn.readable can be read by two at different speeds, and into a buffer of one's own (${kind.name})`,
    leavingNoSocket(async () => {
      using listener = limited(kind);
      using client = await connect(kind, listener.addr.port);
      using conn = await listener.accept();
      const sent = createHash("md5");
      const [fast, slow] = conn.readable.tee();
      const hashes = [fast, slow].map(async (readable, index) => {
        const hash = createHash("md5");
        const reader = readable.getReader({ mode: "byob" });
        for (let buffer = new Uint8Array(100_003);;) {
          const { done, value } = await reader.read(buffer);
          if (done) return hash.digest("hex");
          hash.update(value);
          buffer = new Uint8Array(value.buffer);
          if (index === 1) await new Promise((resolve) => setImmediate(resolve));
        }
      });
      await send(async (chunk) => {
        sent.update(chunk);
        if (!client.socket.write(chunk)) await once(client.socket, "drain");
      }, 8);
      client.socket.end();
      const expected = sent.digest("hex");
      assertEquals(await within(Promise.all(hashes), "both ends"), [expected, expected]);
    }),
  );

  test(
    `SocketConn sends all that was written before it is closed, to a slow reader (${kind.name})`,
    leavingNoSocket(async () => {
      using listener = limited(kind);
      using client = await connect(kind, listener.addr.port);
      const conn = await listener.accept();
      const [sent, received] = [createHash("md5"), createHash("md5")];
      client.socket.on("data", (chunk: Uint8Array) => {
        received.update(chunk);
        client.socket.pause();
        setTimeout(() => client.socket.resume(), 1);
      });
      const closed = new Promise((resolve) => client.socket.once("close", resolve));
      const writer = conn.writable.getWriter();
      await send((chunk) => {
        sent.update(chunk);
        return writer.write(chunk);
      }, 12);
      await writer.close();
      await within(closed, "the end");
      assertStrictEquals(received.digest("hex"), sent.digest("hex"));
      await within(listener.limiter.idle(), "the slot to be free");
    }),
  );
}

test("SocketConn.readable gives a Response its text, and an aborted pipe an end", async () => {
  for (const kind of [PLAIN, TLS]) {
    using listener = limited(kind);
    using client = await connect(kind, listener.addr.port);
    using conn = await listener.accept();
    client.socket.end("some words");
    assertStrictEquals(await new Response(conn.readable).text(), "some words");
    using other = await connect(kind, listener.addr.port);
    const abort = new AbortController();
    const piping = (await listener.accept()).readable.pipeTo(new WritableStream(), { signal: abort.signal });
    abort.abort(new Error("enough"));
    assertStrictEquals(await piping.catch(({ message }) => message), "enough");
    assertStrictEquals(await ended(other), "");
    await within(listener.limiter.idle(), "the slots to be free");
  }
});
