/**
 * The examples for Bun run as they are printed, except for the port.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { test } from "node:test";
import { assert, assertStrictEquals } from "@std/assert";
import { answers, connectFrom, ended, eventually, within } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";
import { echo, openTenAndReset } from "../support/ten_connections.ts";
import { echoes, echoesLate } from "../support/bulk.ts";
import { withBun } from "../support/bun/with_bun.ts";

/** Runs an example at a port of its own. Resolves to what it has printed first, if there is anything. */
function withServer(name: string, use: (port: number) => Promise<void>): Promise<string> {
  const program = readFileSync(new URL(`../../examples/${name}`, import.meta.url), "utf8");
  assert(program.includes("7000"));
  const probe = Bun.listen({ hostname: "0.0.0.0", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop();
  // What is looked at is its output, not its errors.
  const run = `console.warn = console.log;\n${program.replaceAll("7000", `${port}`)}`;
  return withBun(["-e", run], async (program) => {
    await eventually(() => answers(port), "the server to listen");
    await use(port);
    program.kill();
    await within(program.ended, "the process to end");
    return program.output;
  });
}

for (
  const [name, printed] of [["bun_echo.ts", ""], ["bun_callbacks.ts", "connlimit: refused 127.0.0.2 (client)"]] as const
) {
  test(`examples/${name} echoes for ten connections of a client, refuses the eleventh, and survives resets`, {
    skip: oneAddress,
  }, async () => {
    const output = await withServer(name, async (port) => {
      const clients = await openTenAndReset(port);
      using other = await connectFrom("127.0.0.4", port);
      assertStrictEquals(await within(echoes(other, 20), "the echo"), true);
      using late = await connectFrom("127.0.0.5", port);
      assertStrictEquals(await echoesLate(late, 20), true);
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
    // Of what comes later there may be more.
    assertStrictEquals(output.split("\n")[0], printed);
  });
}
