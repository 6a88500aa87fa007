/**
 * The examples of servers for every runtime run by the commands that they print.
 *
 * @module
 */

import { once } from "node:events";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { WebSocket } from "ws";
import { HEADERS } from "../../testing/frames.ts";
import { testUnless } from "../support/test_unless.ts";
import { connectFrom, ended, eventually, freePort, reply, within } from "../support/net.ts";
import { notLinux, oneAddress } from "../support/platform.ts";
import type { RuntimeName } from "../../testing/runtimes.ts";
import { printedArgs, ROOT, type Serving, withServer } from "../support/with_server.ts";

/** What the commands start with, and what that is. */
const STARTS: Readonly<Record<string, RuntimeName>> = { deno: "Deno", bun: "Bun", "npx tsx": "Node" };

/** Starts an example by the command that it prints and that starts so, with a port of its own behind it. */
async function withExample(
  file: string,
  start: string,
  use: (serving: Serving) => Promise<void>,
  more: () => Promise<string[]> = () => Promise.resolve([]),
) {
  const printed = printedArgs(await Deno.readTextFile(new URL(file, ROOT)), start, file);
  const argsAt = async (port: number) => [...printed, file, `${port}`, ...await more()];
  await withServer(STARTS[start]!, argsAt, use, { stderr: "pipe" });
}

for (const start of Object.keys(STARTS)) {
  testUnless(
    oneAddress,
    `examples/node_http.ts by ${start} serves twenty connections of a client, and refuses the next`,
    () =>
      withExample("examples/node_http.ts", start, async ({ port, output }) => {
        const ask = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        const clients = [];
        for (let i = 1; i <= 20; i++) {
          const client = await connectFrom("127.0.0.2", port);
          clients.push(client);
          const text = await reply(client, ask);
          assert(text.endsWith(`connections of yours: ${i}\n`), text);
        }
        using refused = await connectFrom("127.0.0.2", port);
        refused.socket.write(ask);
        assertStrictEquals(await ended(refused), "");
        await eventually(() => output() !== "", "the refusal to be printed");
        assertStrictEquals(output(), "connlimit: refused 127.0.0.2 (client)\n");
        for (const client of clients) client[Symbol.dispose]();
      }),
  );

  testUnless(
    oneAddress,
    `examples/chat.ts by ${start} passes words on among ten WebSockets of a client, and refuses the next`,
    () =>
      withExample("examples/chat.ts", start, async ({ port }) => {
        const open = async () => {
          const socket = new WebSocket(`ws://127.0.0.1:${port}`, { localAddress: "127.0.0.2" });
          const opened = new Promise<boolean>((resolve) => {
            socket.on("open", () => resolve(true));
            socket.on("error", () => resolve(false));
          });
          return [socket, await within(opened, "the WebSocket to open")] as const;
        };
        const sockets: WebSocket[] = [];
        for (let i = 0; i < 10; i++) {
          const [socket, opened] = await open();
          assert(opened);
          sockets.push(socket);
        }
        assertStrictEquals((await open())[1], false);
        const heard = sockets.map((socket) =>
          new Promise((resolve) => socket.on("message", (data) => resolve(`${data}`)))
        );
        sockets[0]!.send("hello");
        assertEquals(await within(Promise.all(heard), "all to hear it"), sockets.map(() => "hello"));
        // One that leaves makes room for another.
        sockets.pop()!.terminate();
        await eventually(async () => {
          const [socket, opened] = await open();
          if (opened) sockets.push(socket);
          return opened;
        }, "a slot to be free");
        const closed = sockets.map((socket) => new Promise((resolve) => socket.on("close", resolve)));
        for (const socket of sockets) socket.close();
        await within(Promise.all(closed), "all to be closed");
      }),
  );

  testUnless(
    notLinux,
    `examples/chat.ts by ${start} ends a WebSocket that does not read, and keeps nothing for it`,
    () =>
      withExample("examples/chat.ts", start, async ({ port }) => {
        using idle = await connectFrom("127.0.0.1", port);
        assert(
          (await reply(idle, ["GET / HTTP/1.1", "Host: localhost", ...HEADERS, "", ""].join("\r\n"))).includes(" 101 "),
        );
        idle.socket.pause();
        const socket = new WebSocket(`ws://127.0.0.1:${port}`);
        await within(once(socket, "open"), "the WebSocket to open");
        let heard = 0;
        socket.on("message", () => heard++);
        // Some 20 MB, which is more than the system keeps.
        for (let said = 100; said <= 5000; said += 100) {
          for (let i = 0; i < 100; i++) socket.send("x".repeat(4000));
          await eventually(() => heard === said, "all to be heard");
        }
        idle.socket.resume();
        await within(once(idle.socket, "close"), "the other WebSocket to be ended");
        socket.terminate();
      }),
  );

  Deno.test(`examples/prometheus.ts by ${start} has its counters scraped over HTTP`, async () => {
    const scraped = await freePort();
    await withExample("examples/prometheus.ts", start, async ({ port, output }) => {
      const clients = [await connectFrom("127.0.0.1", port), await connectFrom("127.0.0.1", port)];
      for (const client of clients) assertStrictEquals(await reply(client, "hello"), "hello");
      using refused = await connectFrom("127.0.0.1", port);
      assertStrictEquals(await ended(refused), "");
      const response = await fetch(`http://127.0.0.1:${scraped}/metrics`);
      assertStrictEquals(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
      const lines = (await response.text()).split("\n");
      const values = Object.fromEntries(lines.filter((line) => /^\w/.test(line)).map((line) => line.split(" ")));
      // Another connection has looked whether the server listens.
      const { connlimit_connections_open: open, connlimit_connections_limit: limit, connlimit_clients: inAll } = values;
      assertEquals([open, limit, inAll], ["2", "1000", "1"]);
      assertStrictEquals(values['connlimit_connections_refused_total{reason="client"}'], "1");
      assertStrictEquals(values['connlimit_connections_refused_total{reason="total"}'], "0");
      assert(lines.includes("# TYPE connlimit_connections_refused_total counter"));
      assert(!lines.some((line) => line.includes("127.0.0")), "an address");
      assertStrictEquals(output(), "connlimit: refused 127.0.0.1 (client)\n");
      for (const client of clients) client[Symbol.dispose]();
    }, () => Promise.resolve([`${scraped}`]));
  });
}
