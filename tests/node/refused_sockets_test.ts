/**
 * Refused sockets are closed at the end of the turn, and no more than a bounded number waits for it.
 *
 * @module
 */

import { EventEmitter } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { ServerSocket } from "../../src/node/server_like.ts";
import { closeInTurn, MAX_WAITING } from "../../src/node/refused_sockets.ts";
import { connectFrom, ended, eventually, leavingNoSocket } from "../support/net.ts";
import { isBun } from "../support/platform.ts";
import { Limited } from "../support/node/limited_server.ts";
import { REQUEST } from "../support/node/refused_http.ts";

class FakeSocket extends EventEmitter {
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
  }
}

const close = (sockets: FakeSocket[]) => sockets.forEach((socket) => closeInTurn(socket as unknown as ServerSocket));
const fakes = (count: number) => Array.from({ length: count }, () => new FakeSocket());
const closed = (sockets: FakeSocket[]) => sockets.filter(({ destroyed }) => destroyed).length;

test("closeInTurn() closes the first at once and the others at the end of the turn, and survives resets", async () => {
  for (let turn = 0; turn < 2; turn++) {
    const sockets = fakes(4);
    close(sockets);
    sockets[2]!.emit("error", new Error("reset"));
    await Promise.resolve();
    assertEquals(sockets.map(({ destroyed }) => destroyed), [true, false, false, false]);
    await setImmediate();
    assertStrictEquals(closed(sockets), 4);
  }
});

test("closeInTurn() lets no more than a bounded number wait", async () => {
  const sockets = fakes(2 * MAX_WAITING + 5);
  close(sockets.slice(0, MAX_WAITING));
  assertStrictEquals(closed(sockets), 1);
  close(sockets.slice(MAX_WAITING));
  assertStrictEquals(closed(sockets), 2 * MAX_WAITING + 1);
  await setImmediate();
  assertStrictEquals(closed(sockets), sockets.length);
});

test(
  "limitServer() closes refused sockets of node:net on Bun when all that wait are accepted, and elsewhere at once",
  leavingNoSocket(async () => {
    const refused: net.Socket[] = [];
    const open: number[] = [];
    const onRefused = (_: unknown, socket: net.Socket) => {
      refused.push(socket);
      open.push(refused.filter(({ destroyed }) => !destroyed).length);
    };
    await using limited = await Limited.listen(net.createServer(), {
      limits: { maxPerClient: 0 },
      options: { onRefused },
    });
    const clients = await Promise.all(Array.from({ length: 50 }, () => connectFrom("127.0.0.1", limited.port)));
    clients.forEach((client, at) => at % 2 === 0 && client.reset());
    await Promise.all(clients.map(ended));
    await limited.answered(0, 50);
    await eventually(() => refused.every(({ destroyed }) => destroyed), "every socket to be closed");
    if (isBun) assert(Math.max(...open) > 1, `${open}`);
    else assertEquals(open, Array(50).fill(1));
  }),
);

test("limitServer() refuses the request of a refused socket, on every runtime", async () => {
  let requests = 0;
  const server = http.createServer((_, response) => {
    requests++;
    response.end();
  });
  await using limited = await Limited.listen(server, { limits: { maxPerClient: 0 } });
  for (let i = 0; i < 10; i++) {
    using client = await connectFrom("127.0.0.1", limited.port);
    client.socket.write(REQUEST);
    assertStrictEquals(await ended(client), "");
  }
  assertStrictEquals(requests, 0);
});
