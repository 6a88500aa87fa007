/**
 * The answers of limited listeners on Deno that are not plain TCP.
 *
 * @module
 */

import { connect as connectTls } from "node:tls";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { type ConnLike, limitedListener, type LimitedListenerOptions, type ListenerLike } from "@connlimit/connlimit";
import { type Adapter, RULES } from "../support/answer_rules.ts";
import { BUSY, LONG, rest, Trial } from "../support/answer_trial.ts";
import { Folder } from "../support/folder.ts";
import { noUnixSockets } from "../support/platform.ts";
import { testUnless } from "../support/test_unless.ts";
import { certificate, connected, connectToPath, within } from "../support/net.ts";

function serve(native: ListenerLike, port: number, ...[limits, options]: Parameters<Adapter["serve"]>) {
  const listener = limitedListener(native, limits, options as LimitedListenerOptions<ConnLike>);
  const serving = (async () => {
    for await (const conn of listener) conn.readable.pipeTo(conn.writable).catch(() => {});
  })();
  return {
    port,
    limiter: listener.limiter,
    stop: (timeout?: number) => listener.shutdown(timeout === undefined ? {} : { timeout }),
    async [Symbol.asyncDispose]() {
      await listener.shutdown({ timeout: 0 });
      await within(serving, "the loop to end");
    },
  };
}

const tls: Adapter = {
  serve(limits, options) {
    const native = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...certificate() });
    return serve(native, native.addr.port, limits, options);
  },
  connect: (port) => connected(connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }), "secureConnect"),
};

/** Two rules that the clients cannot keep: by `node:tls` on Deno, neither is told of the end of its connection. */
const UNHEARD = [
  "sends 30 of 30 clients that end their side at once its answer",
  "holds no slot, and serves the admitted meanwhile",
];

for (const [rule, keeps] of Object.entries(RULES)) {
  if (!UNHEARD.includes(rule)) {
    Deno.test(`answer of limitedListener() over Deno.listenTls ${rule}`, () => keeps(tls));
  }
  testUnless(noUnixSockets, `answer of limitedListener() over a Unix socket ${rule}`, async () => {
    using folder = new Folder();
    let made = 0;
    let path = "";
    await keeps({
      serve(limits, options) {
        path = folder.file(`socket${made++}`);
        return serve(Deno.listen({ transport: "unix", path }), 0, limits, options);
      },
      connect: () => connectToPath(path),
    });
  });
}

Deno.test("answer of limitedListener() over Deno.listenTls is not waited for by other clients", async () => {
  // Deno's own client, since those of node:tls hear of no end here.
  const text = "0123456789abcdef".repeat(1 << 20);
  await using trial = await Trial.serve(tls, { send: text, writeDeadline: LONG }, {}, { maxTotal: 1 });
  const connect = () =>
    Deno.connectTls({ hostname: "localhost", port: trial.server.port, caCerts: [certificate().cert] });
  const slot = trial.server.limiter.accept("127.0.0.1");
  using refused = await connect();
  await refused.closeWrite();
  await trial.refused(1);
  slot.release();
  using admitted = await connect();
  await admitted.write(new TextEncoder().encode("hello"));
  assertStrictEquals(await admitted.read(new Uint8Array(8)), 5);
  assertStrictEquals(await new Response(refused.readable).text(), text);
});

/** A connection of another make: it cannot end its side alone, and must not be closed twice. */
class OtherConn implements ConnLike {
  readonly #conn: Deno.Conn;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  get remoteAddr(): Deno.Addr {
    return this.#conn.remoteAddr;
  }

  get readable(): ConnLike["readable"] {
    return this.#conn.readable;
  }

  get writable(): ConnLike["writable"] {
    return this.#conn.writable;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#conn.read(buffer);
  }

  write(data: Uint8Array): Promise<number> {
    return this.#conn.write(data);
  }

  close(): void {
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

Deno.test("answer of limitedListener() is sent over connections of another make, each closed once", async () => {
  for (const [writeDeadline, timeout] of [[100, undefined], [LONG, 0]] as const) {
    const native = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const listener = {
      addr: native.addr,
      accept: async () => new OtherConn(await native.accept()),
      close: () => native.close(),
      ref: () => native.ref(),
      unref: () => native.unref(),
    };
    const adapter: Adapter = { serve: (...args) => serve(listener, native.addr.port, ...args) };
    await using trial = await Trial.serve(adapter, { send: BUSY, writeDeadline });
    const clients = await Promise.all(Array.from({ length: 3 }, () => trial.connect()));
    for (const { socket } of clients) socket.write("hello");
    await trial.refused(3);
    if (timeout !== undefined) assertEquals(await trial.server.stop(timeout), 0);
    assertEquals(await Promise.all(clients.map(rest)), Array(3).fill(BUSY));
    await trial.closedAll();
    assertEquals(trial.events, []);
  }
});
