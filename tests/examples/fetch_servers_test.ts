/**
 * The examples with fetch handlers run as they are printed, except for the port.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HttpClient } from "../../testing/http_client.ts";
import { HEADERS, HELLO } from "../support/http/serve_sockets.ts";
import { eventually } from "../support/net.ts";
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
