/**
 * What the runtimes do not show alike. The documentation says the same.
 *
 * @module
 */

import { once } from "node:events";
import type * as http from "node:http";
import * as net from "node:net";
import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import { limitServer } from "@connlimit/connlimit/node";
import { aWhile, connectFrom, ended, eventually } from "../support/net.ts";
import { isBun, isDeno, notLinux } from "../support/platform.ts";
import { Limited } from "../support/node/limited_server.ts";
import { KINDS, shakeHands } from "../support/node/server_kinds.ts";

/** Milliseconds after which somebody who says nothing is counted, if that is ever. */
async function untilCounted({ limiter, port }: Limited): Promise<number> {
  const { admitted } = limiter.stats();
  const start = performance.now();
  using _ = await connectFrom("127.0.0.1", port);
  while (limiter.stats().admitted === admitted && performance.now() - start < 1_500) await aWhile();
  return limiter.stats().admitted === admitted ? Infinity : performance.now() - start;
}

for (const [name, kind] of Object.entries(KINDS)) {
  // On Linux Bun's web servers leave it to the system to wait for the first byte, for a second. Its `https` waits for the
  // handshake.
  const late = isBun && (name === "https" || name === "http" && !notLinux);
  test(`limitServer() counts ${name} connections at accept, except Bun's http and https`, async () => {
    await using limited = await Limited.listen(kind.create());
    let took = await untilCounted(limited);
    // A busy machine takes long, too, but not each time.
    for (let i = 0; i < 10 && !late && took >= 500; i++) took = await untilCounted(limited);
    assertStrictEquals(took >= 500, late, `${took} ms`);
    if (name === "https") assertStrictEquals(took === Infinity, late);
    if (!kind.secure) return;
    await limited.freed();
    const { admitted } = limited.limiter.stats();
    using silent = await connectFrom("127.0.0.1", limited.port);
    if (!late) await limited.answered(admitted + 1, 0);
    // By the handshake it becomes no other.
    using _ = await shakeHands(silent, kind.secure);
    await limited.answered(admitted + 1, 0);
  });
}

test("limitServer() keeps a connection alive that is handed to a server that does not listen, except on Deno", async () => {
  const web = KINDS.http!.create() as http.Server;
  const { limiter } = limitServer(web);
  const front = net.createServer((socket) => void web.emit("connection", socket));
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  {
    using client = await connectFrom("127.0.0.1", (front.address() as net.AddressInfo).port);
    await KINDS.http!.ask(client, "answer");
    if (isDeno) assertStrictEquals(await ended(client), "");
    else await KINDS.http!.ask(client, "answer");
    assertStrictEquals(limiter.stats().admitted, 1);
  }
  const closed = once(front, "close");
  front.close();
  await closed;
  await eventually(() => limiter.open === 0, "the slot to be free");
});
