/**
 * The examples of servers for every runtime, by the commands that they print.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { getAvailablePort } from "@std/net";
// @ts-types="npm:@types/ws@^8.18.2"
import { WebSocket } from "ws";
import { testUnless, whileServing } from "../support/deno.ts";
import { connectFrom, ended, eventually, within } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";
import { RUNTIMES } from "../support/runtimes.ts";

const ROOT = new URL("../../", import.meta.url);

/** What the commands start with, and what that is here. */
const STARTS = { "deno ": RUNTIMES.Deno, "bun ": RUNTIMES.Bun, "npx tsx ": RUNTIMES.Node } as const;

/** Starts an example, at a port of its own, by the command that it prints and that starts so. */
async function withExample(
  file: string,
  start: keyof typeof STARTS,
  use: (port: number, output: () => string) => Promise<void>,
) {
  const text = await Deno.readTextFile(new URL(file, ROOT));
  const printed = text.split("\n").find((line) => line.startsWith(` *   ${start}`));
  assert(printed !== undefined && printed.endsWith(` ${file}`), `${file} should print a command for ${start}`);
  const { command, args } = await STARTS[start]();
  const port = getAvailablePort();
  const server = new Deno.Command(command, {
    args: [...args, ...printed.slice(` *   ${start}`.length).split(" "), `${port}`],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
  });
  let output = "";
  let read: Promise<void> | undefined;
  await whileServing(server, port, async ({ stdout }) => {
    read = stdout.pipeThrough(new TextDecoderStream()).pipeTo(
      new WritableStream({ write: (chunk) => void (output += chunk) }),
    );
    await use(port, () => output);
  });
  await read;
}

for (const start of Object.keys(STARTS) as (keyof typeof STARTS)[]) {
  const name = start.trim();

  testUnless(
    oneAddress,
    `examples/node_http.ts by ${name} serves twenty connections of a client, and refuses the next`,
    () =>
      withExample("examples/node_http.ts", start, async (port, output) => {
        const ask = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        const clients = [];
        for (let i = 1; i <= 20; i++) {
          const client = await connectFrom("127.0.0.2", port);
          clients.push(client);
          const answer = new Promise((resolve) => client.socket.once("data", (data) => resolve(data.toString())));
          client.socket.write(ask);
          const text = await within(answer, "an answer") as string;
          assert(text.endsWith(`connections of yours: ${i}\n`), text);
        }
        using refused = await connectFrom("127.0.0.2", port);
        refused.socket.write(ask);
        assertStrictEquals(await ended(refused), "");
        await eventually(() => output() !== "", "the refusal to be printed");
        assert(/^refused (::ffff:)?127\.0\.0\.2: client\n$/.test(output()), output());
        for (const client of clients) client[Symbol.dispose]();
      }),
  );

  testUnless(
    oneAddress,
    `examples/chat.ts by ${name} passes words on among ten WebSockets of a client, and refuses the next`,
    () =>
      withExample("examples/chat.ts", start, async (port) => {
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
}
