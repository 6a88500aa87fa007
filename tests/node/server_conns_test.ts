/**
 * Looking for sockets that have lost their descriptors: how much, how often, and what is left of it.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { OPEN_CONN } from "../../src/admission/open_conn.ts";
import { internalsOf } from "../../src/core/internals.ts";
import type { Handle } from "../../src/node/descriptor.ts";
import { ServerConn, ServerConns, type ServerConnSocket } from "../../src/node/server_conns.ts";
import { eventually } from "../support/net.ts";

/** A socket with a handle, which counts how often it is looked at. */
class FakeSocket implements ServerConnSocket {
  [OPEN_CONN]?: ServerConn;
  destroyed = false;
  looks = 0;
  #handle: Handle | null;

  constructor(handle: Handle | null) {
    this.#handle = handle;
  }

  get _handle(): Handle | null {
    this.looks++;
    return this.#handle;
  }

  /** Loses the handle, as by `send()`. */
  lose(): void {
    this.#handle = null;
  }
}

/** A limiter, its open connections on one server, and a way to add to them. */
function setUp(maxPerClient = Infinity) {
  const limiter = new Limiter({ maxPerClient });
  const conns = new ServerConns(limiter);
  const open = (handle: Handle | null): FakeSocket => {
    const socket = new FakeSocket(handle);
    const record = socket[OPEN_CONN] = new ServerConn(socket);
    record.hold(limiter.accept("192.0.2.7"), conns);
    return socket;
  };
  return { limiter, conns, open, sweeps: internalsOf(limiter)!.counts.sweeps };
}

test("ServerConns release what has lost a descriptor that is closed, before a refusal, and nothing else", () => {
  const { limiter, open } = setUp(8);
  const handles = [{ fd: 5 }, { fd: 6 }, { hasRef: () => true }, { hasRef: () => false as boolean }];
  const sockets = [...handles, ...handles].map(open);
  const closed = [{ fd: -22 }, { hasRef: () => undefined as unknown as boolean }];
  for (const socket of sockets.slice(0, 4)) socket.lose();
  // Bun's http shows no handle at all.
  const without = [null, null];
  limiter.setLimits({ maxPerClient: 12 });
  const others = [...closed, ...without].map(open);
  others[0]!.lose();
  others[1]!.lose();
  others[0]!.destroyed = true;
  const refused = limiter.tryAccept("192.0.2.7");
  assert(refused.admitted);
  // The fourth has an unreferenced handle, as a closed one on Deno; the last but two a closed one of Node.
  assertEquals(sockets.map((socket) => socket[OPEN_CONN]!.ended), [
    ...[false, false, false, true],
    ...[false, false, false, false],
  ]);
  assertEquals(others.map((socket) => socket[OPEN_CONN]!.ended), [false, true, false, false]);
  assertStrictEquals(limiter.open, 11);
});

test("ServerConns look at a bounded number in a flood of refusals, and at each in turn", () => {
  const { limiter, open } = setUp();
  const sockets = Array.from({ length: 30_000 }, () => open({ fd: 5 }));
  limiter.setLimits({ maxPerClient: 0 });
  const before = sockets.map(({ looks }) => looks);
  const start = performance.now();
  while (performance.now() - start < 300) limiter.tryAccept("192.0.2.7");
  const looks = sockets.map((socket, index) => socket.looks - before[index]!);
  const milliseconds = performance.now() - start;
  const total = looks.reduce((sum, count) => sum + count, 0);
  assert(total <= 10_000 + 200 * milliseconds, `${total} looks in ${milliseconds} ms`);
  assert(limiter.stats().refused > 10_000, `${limiter.stats().refused} refusals`);
  assert(looks.every((count) => count > 0), "every socket should have been looked at");
});

test("ServerConns look each second, without keeping the process, and leave nothing with the limiter", async () => {
  const { limiter, conns, open, sweeps } = setUp();
  assertStrictEquals(sweeps.size, 0);
  const handle = { fd: 5 };
  const sockets = [1, 2, 3].map(() => open(handle));
  assertStrictEquals(sweeps.size, 1);
  for (const socket of sockets) socket.lose();
  handle.fd = -1;
  await eventually(() => conns.size === 0, "all to be found");
  assertEquals([limiter.open, sweeps.size], [0, 0]);
  // It starts again.
  const [last] = [open(handle)];
  last.lose();
  await eventually(() => conns.size === 0, "the last to be found");
});
