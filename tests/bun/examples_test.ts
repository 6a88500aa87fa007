/**
 * The examples for Bun, run as they are printed but for the port.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { answers, type Client, connectFrom, ended, eventually, within } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";
import { withBun } from "./support.ts";

/** Runs an example at a port of its own. Resolves to what it has printed first, if there is anything. */
function withServer(name: string, use: (port: number) => Promise<void>): Promise<string> {
  const program = readFileSync(new URL(`../../examples/${name}`, import.meta.url), "utf8");
  assert(program.includes("7000"));
  const probe = Bun.listen({ hostname: "0.0.0.0", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop();
  return withBun(["-e", program.replaceAll("7000", `${port}`)], async ({ started, end }) => {
    await eventually(() => answers(port), "the server to listen");
    await use(port);
    end();
    return await started;
  });
}

/** Sends a word. Resolves to what comes back, or to nothing where the connection ends instead. */
function echo({ socket }: Client): Promise<string> {
  return new Promise((resolve) => {
    socket.once("data", (data) => resolve(`${data}`));
    socket.once("close", () => resolve(""));
    socket.write("hello");
  });
}

/** Sends ten megabytes and reads slowly. Resolves to whether they have come back. */
async function echoesMuch({ socket }: Client): Promise<boolean> {
  const data = crypto.getRandomValues(new Uint8Array(1 << 16));
  const [sent, received] = [createHash("md5"), createHash("md5")];
  let count = 0;
  socket.on("data", (chunk: Uint8Array) => {
    received.update(chunk);
    count += chunk.length;
    socket.pause();
    setImmediate(() => socket.resume());
  });
  for (let i = 0; i < 160; i++) {
    sent.update(data);
    if (!socket.write(data)) await once(socket, "drain");
  }
  await eventually(() => count === 160 * data.length, "all of the echo");
  return sent.digest("hex") === received.digest("hex");
}

for (const [name, printed] of [["bun_echo.ts", ""], ["bun_callbacks.ts", "refused 127.0.0.2: client\n"]] as const) {
  test(`examples/${name} echoes for ten connections of a client, refuses the eleventh, and survives resets`, {
    skip: oneAddress,
  }, async () => {
    const output = await withServer(name, async (port) => {
      const clients = await Promise.all(Array.from({ length: 10 }, () => connectFrom("127.0.0.2", port)));
      assertEquals(await Promise.all(clients.map(echo)), clients.map(() => "hello"));
      using eleventh = await connectFrom("127.0.0.2", port);
      assertStrictEquals(await ended(eleventh), "");
      for (let i = 0; i < 50; i++) (await connectFrom("127.0.0.3", port)).reset();
      for (const client of clients.splice(0, 5)) client.reset();
      using other = await connectFrom("127.0.0.4", port);
      assertStrictEquals(await within(echoesMuch(other), "the echo"), true);
      for (const client of clients.splice(0, 2)) client.fin();
      await Promise.all(clients.splice(0).map((client) => (client.fin(), ended(client))));
      // All the slots are free again.
      await eventually(async () => {
        const again = await Promise.all(Array.from({ length: 10 }, () => connectFrom("127.0.0.2", port)));
        const echoes = await Promise.all(again.map(echo));
        for (const client of again) client.reset();
        return echoes.every((text) => text === "hello");
      }, "ten slots to be free");
    });
    assertStrictEquals(output.slice(0, printed.length), printed);
  });
}
