/**
 * What users of Node get: JavaScript, with declarations beside it.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { connectFrom, eventually } from "../support/net.ts";
import { projectOf } from "../support/published.ts";
import { withPackages } from "../support/with_packages.ts";
import { node } from "../../testing/runtimes.ts";

const manifest = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));

Deno.test("The package runs on Node without its types", async () => {
  const { command } = await node();
  const cwd = await projectOf("Node");
  for (const entry of Object.keys(manifest.exports)) {
    const program = `console.log(typeof await import(${JSON.stringify(manifest.name + entry.slice(1))}))`;
    const args = ["--input-type=module", "--eval", program];
    const { stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
    assertStrictEquals([stdout, stderr].map((text) => new TextDecoder().decode(text)).join(""), "object\n");
  }
});

Deno.test("The package's declarations need those of no runtime", async () => {
  await node();
  const declarations = (await filesIn(`${await projectOf("Node")}/node_modules`)).filter((file) =>
    file.endsWith(".d.ts")
  );
  const text = (await Promise.all(declarations.map((file) => Deno.readTextFile(file)))).join("\n");
  assertStrictEquals(text.includes("export declare class Limiter"), true);
  assertEquals(text.match(/^\/\/\/ *<reference.*|^(import|export)\b.* from "[^.].*|\bimport\("[^.].*/gm), null);
});

/** The line of docs/limiter.md for those who have no `using`, at once and when the socket has been closed. */
const [, onClose] = /`(socket\.on\("close", .*?\))`/.exec(
  await Deno.readTextFile(new URL("../../docs/limiter.md", import.meta.url)),
)!;
const SERVER = `
  import { createServer } from "node:net";
  import { Limiter } from "@connlimit/connlimit";

  const limiter = new Limiter();
  const admit = (socket) => {
    const slot = limiter.accept({ key: "anybody" });
    ${onClose};
    if (socket.destroyed) slot.release();
  };
  createServer((socket) => {
    admit(socket);
    socket.on("error", () => {}).resume();
    socket.on("close", () => {
      setImmediate(() => {
        admit(socket);
        console.log(limiter.stats().admitted, limiter.open);
      });
    });
  }).listen(Number(process.argv[2]), "127.0.0.1");
`;

for (const runtime of ["Deno", "Bun", "Node"] as const) {
  Deno.test(`docs/limiter.md's line for plain JavaScript releases every slot on ${runtime}`, () =>
    withPackages(SERVER, runtime, async ({ port, output }) => {
      for (let i = 0; i < 20; i++) {
        const client = await connectFrom("127.0.0.1", port);
        if (i % 2 === 0) client.reset();
        else client.fin();
      }
      // One more has only asked whether the server listens.
      await eventually(() => /^42 0$/m.test(output()), "every slot to be released");
    }));
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const files = entries.map(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${folder}/${name}`) : `${folder}/${name}`
  );
  return (await Promise.all(files)).flat();
}
