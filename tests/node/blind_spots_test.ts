/**
 * Where the runtimes differ in what they show, as the documentation has it.
 *
 * @module
 */

import { once } from "node:events";
import type * as http from "node:http";
import * as net from "node:net";
import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import { limitServer } from "@connlimit/connlimit/node";
import { connectFrom, ended, eventually } from "../support/net.ts";
import { notLinux } from "../support/platform.ts";
import { isBun, KINDS, Limited, shakeHands } from "./servers.ts";

const isDeno = "Deno" in globalThis;

for (const [name, kind] of Object.entries(KINDS)) {
  // On Linux Bun's web servers leave it to the system to wait for the first byte, for a second.
  const late = isBun && (name === "https" || name === "http" && !notLinux);
  test(`limitServer() counts ${name} connections at accept, except Bun's http and https`, async () => {
    await using limited = await Limited.listen(kind.create());
    using silent = await connectFrom("127.0.0.1", limited.port);
    const start = performance.now();
    if (!late || name === "http") await limited.answered(1, 0);
    else await new Promise((resolve) => setTimeout(resolve, 1_500));
    const seen = limited.limiter.open === 1 && performance.now() - start < 500;
    assertStrictEquals(seen, !late);
    if (!kind.secure) return;
    using _ = await shakeHands(silent, kind.secure);
    await limited.answered(1, 0);
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
