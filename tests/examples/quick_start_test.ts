/**
 * What a newcomer pastes: the quick start as the README prints it, and the example.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { getAvailablePort } from "@std/net";
import { type Client, connectFrom, ended, eventually, within } from "../support/net.ts";

const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const example = await Deno.readTextFile(new URL("../../examples/echo.ts", import.meta.url));
const [quickStart, watching] = [...readme.matchAll(/```ts ignore\n([^]*?)```/g)].map(([, code]) => code!);

/** Runs a server's program, at a port of its own and with the permission for that alone, and ends it. */
async function withServer(program: string, use: (port: number, child: Deno.ChildProcess) => Promise<void>) {
  const port = getAvailablePort();
  assert(program.includes("7000"));
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, program.replaceAll("7000", `${port}`));
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", config, `--allow-net=0.0.0.0:${port}`, file],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  try {
    await eventually(() => answers(port), "the server to listen");
    await use(port, child);
  } finally {
    try {
      child.kill();
    } catch {
      // It has ended by itself.
    }
    await child.status;
    if (!child.stdout.locked) await child.stdout.cancel();
    await Deno.remove(file);
  }
}

for (const [name, program] of [["The README's quick start", quickStart!], ["examples/echo.ts", example]] as const) {
  Deno.test(`${name} echoes for ten connections of a client, refuses the eleventh, and survives resets`, () =>
    withServer(program, async (port) => {
      const clients = await Promise.all(Array.from({ length: 10 }, () => connectFrom("127.0.0.2", port)));
      assertEquals(await Promise.all(clients.map(echo)), clients.map(() => "hello"));
      using eleventh = await connectFrom("127.0.0.2", port);
      assertStrictEquals(await ended(eleventh), "");
      for (let i = 0; i < 50; i++) (await connectFrom("127.0.0.3", port)).reset();
      for (const client of clients.splice(0, 5)) client.reset();
      using other = await connectFrom("127.0.0.4", port);
      assertStrictEquals(await echo(other), "hello");
      // The slots of those that were reset are free again.
      await eventually(async () => {
        using again = await connectFrom("127.0.0.2", port);
        return await echo(again) === "hello";
      }, "a slot to be free");
      for (const client of clients) client[Symbol.dispose]();
    }));
}

Deno.test("The README's server that is watched tells whom it refuses, and stops gracefully", () =>
  withServer(watching!, async (port, child) => {
    const output = new Response(child.stdout).text();
    const clients = await Promise.all(Array.from({ length: 10 }, () => connectFrom("127.0.0.2", port)));
    assertEquals(await Promise.all(clients.map(echo)), clients.map(() => "hello"));
    using eleventh = await connectFrom("127.0.0.2", port);
    assertStrictEquals(await ended(eleventh), "");
    child.kill("SIGTERM");
    await eventually(async () => !await answers(port), "the server to stop listening");
    assertStrictEquals(await echo(clients[0]!), "hello");
    for (const client of clients) client.fin();
    assertStrictEquals((await within(child.status, "the server to end")).code, 0);
    assertEquals((await output).split("\n"), ["refused 127.0.0.2: client", "0 connections had to be closed", ""]);
  }));

async function answers(port: number): Promise<boolean> {
  try {
    // Not from the address it goes to: where nobody listens, such a connection can meet itself.
    using _ = await connectFrom("127.0.0.9", port);
    return true;
  } catch {
    return false;
  }
}

/** Sends a word. Resolves to what comes back, or to nothing where the connection ends instead. */
function echo({ socket }: Client): Promise<string> {
  return new Promise((resolve) => {
    socket.once("data", (data) => resolve(data.toString()));
    socket.once("close", () => resolve(""));
    socket.write("hello");
  });
}

Deno.test("The README names the two commands, and they are tasks", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  for (const task of ["demo", "test"]) {
    assert(task in tasks);
    assert(readme.includes(`deno task ${task} `) && readme.includes(`npx -y deno@2 task ${task}`));
  }
});
