/**
 * Unix sockets of servers that do not say that they listen at one.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import type * as http from "node:http";
import * as net from "node:net";
import process from "node:process";
import { Duplex } from "node:stream";
import { test } from "node:test";
import * as tls from "node:tls";
import { fileURLToPath } from "node:url";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { limitServer } from "@connlimit/connlimit/node";
import { certificate, connectToPath, ended, eventually } from "../support/net.ts";
import { isBun, isDeno, noUnixSockets } from "../support/platform.ts";
import { Folder } from "../support/folder.ts";
import { Limited } from "../support/node/limited_server.ts";
import { ignore, KINDS, shakeHands } from "../support/node/server_kinds.ts";
import { resetFromOutside } from "../support/outside.ts";

for (const name of ["net", "http", "http2 cleartext"]) {
  const unable = isBun && name === "http" && "Bun's http servers listen at no descriptor";
  test(`limitServer() counts the peers of a Unix socket that it was given by descriptor as one client (${name})`, {
    skip: noUnixSockets || unable,
  }, async () => {
    using folder = new Folder();
    const path = folder.file("socket");
    // As systemd does. This process accepts nothing meanwhile.
    const opener = net.createServer().listen(path);
    await once(opener, "listening");
    const { fd } = (opener as unknown as { _handle: { fd: number } })._handle;
    const program = fileURLToPath(new URL("../support/node/activated.ts", import.meta.url));
    const args = isDeno ? ["run", "-A", "--quiet"] : process.execArgv.filter((it) => !it.startsWith("--test"));
    const stdio = ["ignore", "inherit", "inherit", fd] as const;
    assertStrictEquals(spawnSync(process.execPath, [...args, program, path, name], { stdio: [...stdio] }).status, 0);
    const closed = once(opener, "close");
    opener.close();
    await closed;
  });
}

for (const [name, kind] of Object.entries(KINDS)) {
  // Without limits, either.
  const unable = isBun && name === "https" && "Bun's https servers speak TLS over no socket that they are handed";
  test(`limitServer() counts Unix sockets that are handed to a server as one client (${name})`, {
    skip: noUnixSockets || unable,
  }, async () => {
    using folder = new Folder();
    const path = folder.file("socket");
    const server = kind.create() as http.Server;
    const { limiter } = limitServer(server, { maxPerClient: 1 });
    const front = net.createServer((socket) => void server.emit("connection", socket)).listen(path);
    await once(front, "listening");
    {
      using plain = await connectToPath(path);
      await eventually(() => limiter.open === 1, "the first client to be counted");
      assertEquals([...limiter.clients()], [{ client: "unix", open: 1 }]);
      using second = await connectToPath(path);
      assertStrictEquals(await ended(second), "");
      assertStrictEquals(limiter.stats().refusedBy.client, 1);
      using client = kind.secure ? await shakeHands(plain, kind.secure) : plain;
      await kind.ask(client, "answer");
    }
    await eventually(() => limiter.open === 0, "the slot to be free");
    const closed = once(front, "close");
    front.close();
    await closed;
    server.close();
  });
}

test("limitServer() takes for no Unix client who comes by TCP to a server at a Unix socket", {
  skip: noUnixSockets,
}, async () => {
  using folder = new Folder();
  await using limited = await Limited.listen(KINDS.net!.create(), { path: folder.file("socket") });
  // As a front server hands over one whose client has reset.
  const reset = Object.defineProperty(new net.Socket(), "localAddress", { value: "127.0.0.1" });
  limited.server.emit("connection", reset);
  await limited.answered(0, 1);
  assertStrictEquals(limited.limiter.stats().refusedBy["unknown-address"], 1);
});

test("limitServer() takes for no Unix client who has reset TCP, and no stream that is no socket", async () => {
  await using limited = await Limited.listen(KINDS.net!.create());
  resetFromOutside(limited.port, 50);
  await limited.answered(0, 50);
  const server = net.createServer();
  const { limiter } = limitServer(server);
  const bare = () => new Duplex({ read: ignore, write: (_chunk, _encoding, done) => done() }).on("error", ignore);
  const secureContext = tls.createSecureContext(certificate());
  const secured = new tls.TLSSocket(bare(), { isServer: true, secureContext });
  const forwarded = Object.assign(bare(), { remoteAddress: undefined, localAddress: undefined });
  const strangers = [bare(), forwarded, secured.on("error", ignore), new net.Socket()];
  for (const stranger of strangers) server.emit("connection", stranger);
  assertEquals([limited.limiter.stats().refusedBy["unknown-address"], limited.limiter.stats().admitted], [50, 0]);
  assertEquals([limiter.stats().refusedBy["unknown-address"], limiter.stats().admitted], [strangers.length, 0]);
});
