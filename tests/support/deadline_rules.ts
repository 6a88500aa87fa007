/**
 * What holds of deadlines on every adapter and runtime. They are kept at once, since they wait.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { type Adapter, dribble, pass, T, Trial } from "./deadline_trial.ts";
import { ended, eventually, leavingNoSocket, reply } from "./net.ts";

type Rule = (adapter: Adapter) => Promise<void>;
type Rules = Readonly<Record<string, Rule>>;

/** The longest time of all. */
const LONG = 2 ** 31 - 1;

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
    for (let i = 0; i < 6; i++) {
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
    await pass(5 * T);
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

  "report what onTimeout throws, and close the client all the same": async (adapter) => {
    const fail = () => {
      throw "thrown";
    };
    await using trial = await Trial.serve(adapter, { maxAge: T / 4, onTimeout: fail });
    const client = await trial.connect();
    await ended(client);
    assertEquals([trial.met, trial.errors], [["maxAge"], ["thrown"]]);
  },

  "free each slot once where clients leave at the deadline": async (adapter) => {
    await using trial = await Trial.serve(adapter, { maxAge: T / 2 });
    const clients = await Promise.all(Array.from({ length: 20 }, () => trial.connect()));
    await pass(T / 2 - 20);
    for (const [at, client] of clients.entries()) setTimeout(() => client.reset(), 2 * at);
    await eventually(() => trial.server.limiter.open === 0, "the slots to be free");
    const { admitted, timedOut } = trial.server.limiter.stats();
    assertEquals([admitted, timedOut.maxAge, trial.errors], [20, trial.met.length, []]);
  },
};

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
