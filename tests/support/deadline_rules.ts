/**
 * What holds of deadlines on every adapter and runtime. They are kept at once, since they wait.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Timeout } from "@connlimit/connlimit";
import { proxyProtocol } from "@connlimit/connlimit/proxy";
import { type Adapter, dribble, pass, T, Trial } from "./deadline_trial.ts";
import { connected, ended, eventually, leavingNoSocket, reply } from "./net.ts";

/** What holds of an adapter. */
export type Rule = (adapter: Adapter) => Promise<void>;
/** Rules by what they say. */
export type Rules = Readonly<Record<string, Rule>>;

/** The longest time of all. */
export const LONG: number = 2 ** 31 - 1;

/** The first bytes of a `ClientHello`, of which the rest never comes. */
const HALF_HELLO = new Uint8Array([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 7, 7, 7]);

/** Who is closed, and why. */
export const CLOSES: Rules = {
  "a client that says nothing": async (adapter) => {
    await using trial = await Trial.serve(adapter, { firstByteTimeout: T });
    const since = performance.now();
    const client = await trial.connect();
    client.socket.resume();
    await trial.cut("firstByte", since);
    await ended(client);
  },

  "a client that says nothing, by idleTimeout": async (adapter) => {
    await using trial = await Trial.serve(adapter, { idleTimeout: T });
    const since = performance.now();
    await ended(await trial.connect());
    await trial.cut("idle", since);
  },

  "a client that begins no handshake": async (adapter) => {
    if (adapter.secure === undefined) return;
    await using trial = await Trial.serve(adapter, { firstByteTimeout: T });
    const since = performance.now();
    const client = await trial.connectPlain();
    await trial.cut("firstByte", since);
    if (!adapter.keepsTls) await ended(client);
  },

  "a client that stops in the middle of a handshake": async (adapter) => {
    if (adapter.secure === undefined) return;
    await using trial = await Trial.serve(adapter, { firstByteTimeout: T, idleTimeout: 3 * T, maxAge: 4 * T });
    const since = performance.now();
    const client = await trial.connectPlain();
    client.socket.write(HALF_HELLO);
    await trial.cut("firstByte", since);
    if (!adapter.keepsTls) await ended(client);
  },

  "a client that has fallen silent": async (adapter) => {
    await using trial = await Trial.serve(adapter, { firstByteTimeout: T, idleTimeout: T, maxAge: LONG });
    const client = await trial.connect();
    await pass(T / 2);
    const since = performance.now();
    assertEquals(await reply(client, "hello"), "hello");
    await trial.cut("idle", since);
    await ended(client);
  },

  "a client that does not read what it is sent": async (adapter) => {
    await using trial = await Trial.serve(adapter, { idleTimeout: T }, "flood");
    const since = performance.now();
    const relay = await trial.connectByRelay();
    relay.stop();
    await trial.cut("idle", since);
    if (!adapter.keepsTls) await eventually(() => relay.closed, `${adapter.name}: the connection to be closed`);
  },
};

/** Who is left open. */
export const LEAVES: Rules = {
  "a client that dribbles, until it is too old": async (adapter) => {
    const time = 2 * T;
    await using trial = await Trial.serve(adapter, { firstByteTimeout: time, idleTimeout: time, maxAge: 3 * time });
    const since = performance.now();
    const client = await trial.connect();
    dribble(client, 0.9 * time);
    await trial.cut("maxAge", since, 3 * time);
    await ended(client);
  },

  "a slow client that is honest": async (adapter) => {
    await using trial = await Trial.serve(adapter, { firstByteTimeout: T, idleTimeout: T, maxAge: LONG });
    const client = await trial.connect();
    for (let i = 0; i < 5; i++) {
      await pass(T * 0.7);
      assertEquals(await reply(client, "hello"), "hello");
    }
    trial.kept();
  },

  "a client that reads slowly": async (adapter) => {
    await using trial = await Trial.serve(adapter, { idleTimeout: 2 * T }, "flood");
    const relay = await trial.connectByRelay();
    relay.stop();
    // The kernels' buffers are some megabytes, and tell the server of room only when much of them is free.
    const timer = setInterval(() => relay.sip(), 2);
    await pass(4 * T);
    clearInterval(timer);
    trial.kept();
  },

  "a client that only reads": async (adapter) => {
    await using trial = await Trial.serve(adapter, { idleTimeout: T }, "push");
    const client = await trial.connect();
    client.socket.resume();
    await pass(5 * T);
    trial.kept();
  },

  "a client that was in time, where there is no other deadline": async (adapter) => {
    await using trial = await Trial.serve(adapter, { firstByteTimeout: T });
    const client = await trial.connect();
    assertEquals(await reply(client, "hello"), "hello");
    await pass(3 * T);
    trial.kept();
  },
};

/** What else holds. */
export const OTHERS: Rules = {
  "stop in between, with nothing left": async (adapter) => {
    await using trial = await Trial.serve(adapter, { firstByteTimeout: T, idleTimeout: T, maxAge: T });
    const clients = await Promise.all([trial.connect(), trial.connect()]);
    await eventually(() => trial.server.limiter.open === 2, "two to be admitted");
    const closed = Promise.all(clients.map(ended));
    await trial.server.stop(0);
    await closed;
    await eventually(() => trial.server.limiter.open === 0, "the slots to be free");
    await pass(1.5 * T);
    assertEquals([trial.met, trial.server.limiter.stats().timedOut.maxAge], [[], 0]);
  },

  "close at the deadlines those that are open when they stop": async (adapter) => {
    await using trial = await Trial.serve(adapter, { idleTimeout: T });
    const since = performance.now();
    const client = await trial.connect();
    const stopped = trial.server.stop(10 * T);
    await trial.cut("idle", since);
    await ended(client);
    await stopped;
  },

  "tell onTimeout of the client while it has its slot, and let it say something": async (adapter) => {
    const open: number[] = [];
    const addresses: unknown[] = [];
    await using trial = await Trial.serve(adapter, {
      maxAge: T,
      onTimeout(_: Timeout, conn: Hooked) {
        open.push(trial.server.limiter.open);
        addresses.push(conn.remoteAddress ?? conn.remoteAddr?.hostname);
        // Where it gives a promise, that may reject, and nobody looks.
        conn.write(new TextEncoder().encode("bye"));
      },
    });
    const client = await trial.connect();
    assertEquals(await reply(client, "hello"), "hello");
    assertEquals((await ended(client)).slice(0, 3), "bye");
    await eventually(() => trial.server.limiter.open === 0, "the slot to be free");
    assertEquals([open, addresses], [[1], [adapter.nameless ? undefined : "127.0.0.1"]]);
  },

  "let onTimeout close the connection": async (adapter) => {
    await using trial = await Trial.serve(adapter, { maxAge: T, onTimeout: (_, conn: Hooked) => conn.close() });
    const client = await trial.connect();
    await ended(client);
    await eventually(() => trial.server.limiter.open === 0, "the slot to be free");
    assertEquals([trial.met, trial.errors, trial.server.limiter.stats().timedOut.maxAge], [["maxAge"], [], 1]);
  },

  "take no proxy's header for a first byte, and count from the accept": async (adapter) => {
    if (adapter.secure !== undefined || adapter.nameless) return;
    const client = proxyProtocol({ trusted: ["127.0.0.1"] });
    await using trial = await Trial.serve(adapter, { firstByteTimeout: 2 * T, client });
    const header = "PROXY TCP4 192.0.2.7 192.0.2.1 4711 7000\r\n";
    const silent = await connected(trial.server.connect());
    await pass(T);
    silent.socket.write(header);
    // Admitted at the same time, and accepted later.
    const later = await connected(trial.server.connect());
    later.socket.write(header);
    await ended(silent);
    assertEquals([trial.met, trial.server.limiter.stats().timedOut.firstByte, trial.errors], [["firstByte"], 1, []]);
    later.socket.write("hello");
    const atOnce = await connected(trial.server.connect());
    atOnce.socket.write(`${header}hello`);
    await pass(3 * T);
    assertEquals([trial.server.limiter.open, trial.met], [2, ["firstByte"]]);
    for (const client of [later, atOnce]) client[Symbol.dispose]();
  },

  "report what onTimeout throws, and close the client all the same": async (adapter) => {
    const fail = () => {
      throw "thrown";
    };
    await using trial = await Trial.serve(adapter, { maxAge: T, onTimeout: fail });
    const client = await trial.connect();
    await ended(client);
    assertEquals([trial.met, trial.errors], [["maxAge"], ["thrown"]]);
  },

  "free each slot once where clients leave at the deadline": async (adapter) => {
    await using trial = await Trial.serve(adapter, { maxAge: 2 * T });
    const clients = await Promise.all(Array.from({ length: 5 }, () => trial.connect()));
    await eventually(() => trial.server.limiter.stats().admitted === 5, "five to be admitted");
    // The first at once, and the last when all are closed.
    for (const [at, client] of clients.entries()) setTimeout(() => client.reset(), at * T * 0.6);
    await eventually(() => trial.server.limiter.open === 0, "the slots to be free");
    const { admitted, timedOut } = trial.server.limiter.stats();
    assertEquals([admitted, timedOut.maxAge, trial.errors], [5, trial.met.length, []]);
  },
};

/** A connection, as hooks are given it. */
interface Hooked {
  readonly remoteAddr?: { readonly hostname?: string };
  readonly remoteAddress?: string;
  write(data: Uint8Array): unknown;
  close(): void;
}

/** The body of a test that keeps rules on adapters, all at once. The error of one that is broken names both. */
export function keeping(rules: Rules, adapters: readonly Adapter[]): () => Promise<void> {
  return leavingNoSocket(async () => {
    const broken: string[] = [];
    await Promise.all(
      Object.entries(rules).flatMap(([name, keeps]) =>
        adapters.map((adapter) =>
          keeps(adapter).catch((error: Error) => broken.push(`${name} (${adapter.name}): ${error.stack ?? error}`))
        )
      ),
    );
    assertEquals(broken, []);
  });
}
