/**
 * What a newcomer pastes: the quick start as the README prints it, and the example.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { getAvailablePort } from "@std/net";
import { type Client, connectFrom, ended, eventually } from "./support/net.ts";

const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
const example = await Deno.readTextFile(new URL("../examples/echo.ts", import.meta.url));

for (
  const [name, program] of [
    ["The README's quick start", /```ts ignore\n([^]*?)```/.exec(readme)![1]!],
    ["examples/echo.ts", example],
  ] as const
) {
  Deno.test(`${name} echoes for ten connections of a client, refuses the eleventh, and survives resets`, async () => {
    const port = getAvailablePort();
    assertStrictEquals(program.split("7000").length >= 2, true);
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(file, program.replaceAll("7000", `${port}`));
    const config = new URL("../deno.json", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--config", config, `--allow-net=0.0.0.0:${port}`, file],
      stdin: "null",
    }).spawn();
    try {
      await eventually(() => answers(port), "the server to listen");
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
    } finally {
      child.kill();
      await child.status;
      await Deno.remove(file);
    }
  });
}

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
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  for (const task of ["demo", "test"]) {
    assert(task in tasks);
    assert(readme.includes(`deno task ${task} `) && readme.includes(`npx -y deno@2 task ${task}`));
  }
});
