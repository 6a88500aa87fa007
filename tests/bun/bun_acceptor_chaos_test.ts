/**
 * Thousands of connections that end in every way at once.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { CLIENTS, crowd, pick, randomly, treatAll } from "../support/crowd.ts";
import { answered } from "../support/listeners.ts";
import { type Client, ended, eventually, openSockets, within } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";
import { address, type Kind, PLAIN, TLS, tryConnect } from "../support/bun/kinds.ts";
import { limited } from "../support/bun/limited.ts";

type Socket = Bun.Socket<undefined>;

const ignore = () => {};

/** How handlers may treat a connection when it is open. */
const HANDLERS: readonly ((socket: Socket) => void)[] = [
  ignore,
  (socket) => void socket.end(),
  (socket) => void socket.end("good bye"),
  (socket) => socket.close(),
  (socket) => socket.terminate(),
  (socket) => socket.shutdown(),
  () => {
    throw new Error("from open");
  },
  (socket) => {
    socket.write(new Uint8Array(1 << 18));
    socket.end();
  },
  (socket) => {
    socket.write(new Uint8Array(1 << 20));
    socket.terminate();
  },
  (socket) => {
    socket.pause();
    setTimeout(() => socket.resume(), 1);
  },
  (socket) => {
    socket.pause();
    setTimeout(() => socket.close(), 1);
  },
  (socket) => socket.reload({ socket: handlers } as never),
];

/** What is the same for all connections: what comes is echoed, and the client's end is answered. */
const handlers = {
  data: (socket: Socket, chunk: Uint8Array) => void socket.write(chunk),
  end: (socket: Socket) => void socket.end(),
  error: ignore,
};

/** How clients may behave that do not even speak TLS where they should. */
const STRANGERS: readonly ((client: Client) => void)[] = [
  ...CLIENTS.slice(2),
  ({ socket }) => void socket.end("GET / HTTP/1.1\r\n\r\n"),
];

interface Server extends Disposable {
  readonly ports: readonly number[];
}

/** Two listeners with one limiter: one for connections that may be half-open, one for others. */
const FORMS: Readonly<Record<string, (kind: Kind, limiter: Limiter, random: (below: number) => number) => Server>> = {
  "limitedListener()": (kind, limiter, random) => {
    const listeners = [true, false].map((halfOpen) => limited({ ...kind, halfOpen }, limiter));
    for (const listener of listeners) treatAll(listener, random);
    return {
      ports: listeners.map(({ addr }) => addr.port),
      [Symbol.dispose]: () => listeners.forEach((listener) => listener.close()),
    };
  },
  "limitSocketHandler()": (kind, limiter, random) => {
    const open = (socket: Socket) => pick(random, HANDLERS)(socket);
    const listeners = [true, false].map((halfOpen) =>
      Bun.listen<undefined>({
        ...address({ ...kind, halfOpen }),
        socket: limitSocketHandler(limiter, { ...handlers, open }),
      })
    );
    return {
      ports: listeners.map(({ port }) => port),
      [Symbol.dispose]: () => listeners.forEach((listener) => listener.stop()),
    };
  },
};

const CONNECTIONS = 2_000;
const AT_ONCE = 50;

for (const kind of [PLAIN, TLS]) {
  for (const [name, serve] of Object.entries(FORMS)) {
    const seed = Date.now() | 0;
    test(`${name} leaves nothing of ${CONNECTIONS} connections that end in every way (${kind.name}, seed ${seed})`, {
      skip: oneAddress,
    }, async () => {
      const random = randomly(seed);
      const before = openSockets();
      const limiter = new Limiter({ maxPerClient: 10 });
      {
        using server = serve(kind, limiter, random);
        await crowd(CONNECTIONS, AT_ONCE, async () => {
          const [port, from] = [pick(random, server.ports), `127.0.0.${1 + random(4)}`];
          const isStranger = kind.tls && random(3) === 0;
          using client = await tryConnect(isStranger ? PLAIN : kind, port, from);
          // One that was refused before the handshake has had its end.
          if (client === undefined) return;
          pick(random, isStranger ? STRANGERS : CLIENTS)(client);
          await ended(client);
        });
        await answered(limiter, CONNECTIONS);
        await within(limiter.idle(), "every slot to be free");
        const { open, clients, peak, admitted, refused } = limiter.stats();
        assertEquals([open, clients, admitted + refused], [0, 0, CONNECTIONS]);
        assertLessOrEqual(peak, 40);
        assert(admitted > 200 && refused > 0, `${admitted} admitted, ${refused} refused`);
      }
      await eventually(() => openSockets() === before, "every socket to be closed");
    });
  }
}
