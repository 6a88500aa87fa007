/**
 * The examples with fetch handlers run as they are printed, except for the port.
 *
 * @module
 */

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HttpClient } from "../../testing/http_client.ts";
import { CLOSE, HEADERS, HELLO } from "../support/http/serve_sockets.ts";
import { eventually, within } from "../support/net.ts";
import { notLinux } from "../support/platform.ts";
import { testUnless } from "../support/test_unless.ts";
import { printedArgs, ROOT, withServer } from "../support/with_server.ts";

/** Runs an example by the command that it prints and that starts so, at a port of its own. */
async function withExample(file: string, start: "deno" | "bun", use: (port: number) => Promise<void>): Promise<void> {
  const text = await Deno.readTextFile(new URL(file, ROOT));
  const printed = printedArgs(text, start, file);
  // In the project, for the sake of the packages' names.
  const folder = await Deno.makeTempDir({ dir: fileURLToPath(new URL(".", import.meta.url)) });
  const argsAt = async (port: number) => {
    // Those of `Deno.serve` listen at its default.
    const program = text.replace("Deno.serve(", `Deno.serve({ port: ${port} }, `)
      .replace("port: 8000", `port: ${port}`);
    assert(program !== text);
    if (start === "bun") return [...printed, "-e", program];
    const copy = `${folder}/server.ts`;
    await Deno.writeTextFile(copy, program);
    const at = printed[0] === "serve" ? [`--port=${port}`] : [];
    return [...printed, ...at, copy];
  };
  try {
    await withServer(start === "bun" ? "Bun" : "Deno", argsAt, ({ port }) => use(port));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function status(port: number, request: string): Promise<number> {
  using client = await HttpClient.ask(port, request, "Connection: close");
  return (await client.head()).status;
}

for (const [file, start] of [["examples/deno_serve.ts", "deno"], ["examples/bun_serve.ts", "bun"]] as const) {
  Deno.test(`${file} limits its streams and WebSockets to five, and answers again when they have ended`, () =>
    withExample(file, start, async (port) => {
      assertStrictEquals(await status(port, "GET /"), 200);
      const clocks = await Promise.all([1, 2, 3].map(() => HttpClient.ask(port, "GET /clock")));
      for (const clock of clocks) await clock.until("\n\r\n");
      const sockets = await Promise.all([1, 2].map(() => HttpClient.ask(port, "GET /echo", ...HEADERS)));
      for (const socket of sockets) {
        assertStrictEquals((await socket.head()).status, 101);
        socket.write(HELLO);
        assertStrictEquals(await socket.read(4), "\x81\x02hi");
      }
      assertEquals([await status(port, "GET /"), await status(port, "GET /clock")], [429, 429]);
      // The clock goes on.
      await clocks[0]!.until("\n\r\n");
      for (const client of [clocks[0]!, sockets[0]!]) {
        client.reset();
        await eventually(async () => await status(port, "GET /") === 200, "a slot to be free");
      }
      for (const client of [...clocks, ...sockets]) client[Symbol.dispose]();
    }));
}

for (const start of ["deno", "bun"] as const) {
  Deno.test(`examples/hono.ts limits slow requests to five by ${start}`, () =>
    withExample("examples/hono.ts", start, async (port) => {
      const clients = await Promise.all([1, 2, 3, 4, 5].map(() => HttpClient.ask(port, "GET /slow")));
      await eventually(async () => await status(port, "GET /") === 429, "five requests");
      for (const client of clients) assertStrictEquals((await client.answer()).body, "at last\n");
      assertStrictEquals(await status(port, "GET /"), 200);
      for (const client of clients) client[Symbol.dispose]();
    }));
}

testUnless(
  notLinux,
  "examples/deno_serve.ts keeps little for a WebSocket that does not read",
  () =>
    withExample("examples/deno_serve.ts", "deno", async (port) => {
      const client = await HttpClient.ask(port, "GET /echo", ...HEADERS);
      assertStrictEquals((await client.head()).status, 101);
      const { socket } = client;
      socket.pause();
      // Some 20 MB, which is more than the system keeps, by frames of 4000 bytes that are masked with zeros.
      const frame = new Uint8Array(4008);
      frame.set([0x82, 0xfe, 0x0f, 0xa0]);
      for (let i = 0; i < 5000; i++) {
        if (!socket.write(frame)) await within(once(socket, "drain"), "the server to read on");
      }
      // Then the server has read them all.
      let received = 0;
      socket.on("data", (data) => received += data.length);
      socket.resume();
      socket.end(CLOSE);
      await within(once(socket, "close"), "the WebSocket to be closed");
      assert(received < 15e6, `${received} bytes`);
    }),
);

testUnless(
  notLinux,
  "examples/bun_serve.ts ends a WebSocket that does not read, and drops nothing of those that do",
  () =>
    withExample("examples/bun_serve.ts", "bun", async (port) => {
      const text = "x".repeat(4000);
      const reading = new WebSocket(`ws://127.0.0.1:${port}/echo`);
      let [said, heard] = [0, 0];
      const say = () => {
        said++;
        reading.send(text);
      };
      reading.onmessage = () => void heard++;
      await within(new Promise((resolve) => reading.onopen = resolve), "the WebSocket to open");

      const client = await HttpClient.ask(port, "GET /echo", ...HEADERS);
      assertStrictEquals((await client.head()).status, 101);
      const { socket } = client;
      socket.pause();
      // Some 20 MB, which is more than the system keeps, by frames of 4000 bytes that are masked with zeros.
      const frame = new Uint8Array(4008);
      frame.set([0x82, 0xfe, 0x0f, 0xa0]);
      let closed = false;
      // Not `once()`, which rejects where the end is an error.
      const event = (name: string) => new Promise((resolve) => socket.once(name, resolve));
      socket.on("error", () => {});
      const closing = event("close").then(() => closed = true);
      for (let i = 0; i < 5000 && !closed; i++) {
        if (i % 100 === 0) say();
        if (!socket.write(frame)) {
          await within(Promise.race([event("drain"), closing]), "the server to read on, or to close");
        }
      }
      socket.resume();
      await within(closing, "the WebSocket to be closed");
      say();
      await eventually(() => heard === said, "all that the other has said");
      reading.close();
    }),
);
