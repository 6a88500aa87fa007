/**
 * Sockets whose descriptor leaves them without `"close"`. A slot is held as long as this process has the descriptor.
 *
 * @module
 */

import * as http from "node:http";
import * as net from "node:net";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Limiter } from "@connlimit/connlimit";
import { limitServer } from "@connlimit/connlimit/node";
import { aWhile, type Client, connectFrom, ended, eventually, reply } from "../support/net.ts";
import { isBun, noPosix } from "../support/platform.ts";
import { Limited } from "../support/node/limited_server.ts";
import { isServed, listenNet } from "../support/node/listen_net.ts";
import { ignore } from "../support/node/server_kinds.ts";
import { Worker } from "../support/node/worker.ts";

/** A server that limits the connections of a client to three, and does something with each. */
function listenFront(use: (socket: net.Socket) => void, limits?: Limiter): Promise<Limited<net.Server>> {
  const server = net.createServer({ pauseOnConnect: true }, (socket) => use(socket.on("error", ignore)));
  return Limited.listen(server, { limits: limits ?? { maxPerClient: 3 } });
}

/** As many clients. */
function connectAll(port: number, count: number): Promise<Client[]> {
  return Promise.all(Array.from({ length: count }, () => connectFrom("127.0.0.1", port)));
}

/** The ways to send a socket to another process: at once, and when it is known from the first bytes to which. */
const SENDS: Readonly<Record<string, (socket: net.Socket, send: () => void) => void>> = {
  "at once": (_, send) => send(),
  "after its first bytes": (socket, send) => {
    socket.once("data", (data) => {
      socket.pause();
      assertStrictEquals(data.toString(), "to whom");
      send();
    });
    socket.resume();
  },
};

for (const [when, how] of Object.entries(SENDS)) {
  test(`limitServer() frees the slot of a socket that is sent to another process ${when}`, async () => {
    await using worker = await Worker.start();
    await using front = await listenFront((socket) => how(socket, () => worker.take(socket)));
    for (let i = 0; i < 20; i++) {
      using client = await connectFrom("127.0.0.1", front.port);
      if (when !== "at once") {
        client.socket.write("to whom");
        // What comes in the same packet would be lost.
        await eventually(() => front.limiter.stats().admitted === i + 1, "the socket to be accepted");
        await aWhile();
      }
      assertStrictEquals(await reply(client, "words"), "words");
      client.fin();
      await ended(client);
    }
    // Without another connection, too.
    await front.freed();
    assertEquals(front.limiter.stats().refused, 0);
  });
}

// Bun sends no socket of an http server.
test(
  "limitServer() frees the slot of an upgraded connection that is sent to another process",
  { skip: isBun },
  async () => {
    await using worker = await Worker.start();
    const server = http.createServer();
    server.on("upgrade", (_request, socket) => worker.take((socket as net.Socket).on("error", ignore)));
    await using front = await Limited.listen(server, { limits: { maxPerClient: 3 } });
    for (let i = 0; i < 6; i++) {
      using client = await connectFrom("127.0.0.1", front.port);
      client.socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n");
      await eventually(() => worker.sent === i + 1, "the socket to be sent");
      // What arrives before the worker has the descriptor is lost.
      let echoed = false;
      client.socket.on("data", () => echoed = true);
      await eventually(() => {
        client.socket.write("words");
        return echoed;
      }, "an echo of the worker");
    }
    assertStrictEquals(front.limiter.stats().refused, 0);
  },
);

test("limitServer() does not count what another process serves, and counts it while both have the descriptor", async () => {
  await using worker = await Worker.start();
  for (const shared of [false, true]) {
    await using front = await listenFront((socket) => shared ? worker.share(socket) : worker.take(socket));
    const clients: Client[] = [];
    for (let i = 0; i < 6; i++) {
      clients.push(...await connectAll(front.port, 1));
      assertStrictEquals(await isServed(clients[i]!), !shared || i < 3);
    }
    if (shared) assertStrictEquals(front.limiter.open, 3);
    for (const client of clients) client[Symbol.dispose]();
    if (shared) await front.freed();
    using again = await connectFrom("127.0.0.1", front.port);
    assert(await isServed(again));
  }
});

test("limitServer() holds the slots of sockets that another process has not taken yet", { skip: noPosix }, async () => {
  await using worker = await Worker.start();
  await using front = await listenFront((socket) => worker.take(socket));
  worker.signal("SIGSTOP");
  const clients = await connectAll(front.port, 6);
  await front.answered(3, 3);
  assertStrictEquals(front.limiter.open, 3);
  worker.signal("SIGCONT");
  await eventually(async () => {
    using again = await connectFrom("127.0.0.1", front.port);
    return await isServed(again);
  }, "the worker to take them");
  for (const client of clients) client[Symbol.dispose]();
});

test("limitServer() frees slots for each server that shares the limiter", async () => {
  await using worker = await Worker.start();
  await using front = await listenFront((socket) => worker.take(socket));
  await using other = await listenNet({ limits: front.limiter });
  const clients: Client[] = [];
  for (let round = 0; round < 3; round++) {
    clients.push(...await connectAll(front.port, 3));
    await eventually(async () => {
      using client = await connectFrom("127.0.0.1", other.port);
      return await isServed(client);
    }, "a slot at the other server");
  }
  for (const client of clients) client[Symbol.dispose]();
});

// Bun makes no socket of a handle.
test(
  "limitServer() holds the slot where another socket has taken the handle, until that closes",
  { skip: isBun },
  async () => {
    const taken: net.Socket[] = [];
    await using front = await listenFront((socket) => {
      const raw = socket as unknown as { _handle: object | null };
      const { _handle: handle } = raw;
      raw._handle = null;
      const other = new net.Socket({ handle, readable: true, writable: true } as object);
      taken.push(other.on("error", ignore).on("data", (data) => other.write(data)));
    });
    const clients = await connectAll(front.port, 5);
    const served = await Promise.all(clients.map(isServed));
    assertEquals([served.filter(Boolean).length, front.limiter.open], [3, 3]);
    taken[0]!.destroy();
    using next = await connectFrom("127.0.0.1", front.port);
    assert(await isServed(next));
    for (const client of [...clients, next]) client[Symbol.dispose]();
    await eventually(() => taken.every(({ destroyed }) => destroyed), "all to be closed");
    using last = await connectFrom("127.0.0.1", front.port);
    assert(await isServed(last));
    assertStrictEquals(front.limiter.open, 1);
  },
);

test("LimitedServer.slotOf() has the slot of a socket while it is open, for whoever knows better", async () => {
  await using limited = await listenNet({ limits: { maxPerClient: 1 } });
  const { attachment, limiter } = limited;
  const other = limitServer(limited.server, { maxPerClient: 5 });
  using client = await connectFrom("127.0.0.1", limited.port);
  assert(await isServed(client));
  const [socket] = limited.sockets;
  const slot = attachment.slotOf(socket!)!;
  assertEquals([slot.client, slot.released, other.slotOf(socket!)?.released], ["127.0.0.1", false, false]);
  for (const none of [client.socket, {}, limited.server]) assertStrictEquals(attachment.slotOf(none), undefined);
  slot.release();
  assertEquals([limiter.open, other.limiter.open, attachment.slotOf(socket!)], [0, 1, undefined]);
  using second = await connectFrom("127.0.0.1", limited.port);
  assert(await isServed(second));
  client.fin();
  await eventually(() => other.limiter.open === 1, "the first to be closed");
  assertStrictEquals(limiter.open, 1);
});
