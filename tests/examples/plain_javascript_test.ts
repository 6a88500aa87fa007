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

const specifiers = Object.keys(manifest.exports).map((entry) => manifest.name + entry.slice(1));

async function run(program: string, type: "module" | "commonjs"): Promise<string> {
  const { command } = await node();
  const args = [`--input-type=${type}`, "--eval", program];
  const { stdout, stderr } = await new Deno.Command(command, { args, cwd: await projectOf("Node") }).output();
  return [stdout, stderr].map((text) => new TextDecoder().decode(text)).join("");
}

Deno.test("The package runs on Node without its types", async () => {
  for (const specifier of specifiers) {
    assertStrictEquals(await run(`console.log(typeof await import("${specifier}"))`, "module"), "object\n");
  }
});

// 20.19 and 22.12 are the first in which modules can be required.
const [major, minor] = (await node()).version.split(".").map(Number) as [number, number];
const requires = major > 22 || major === 22 && minor >= 12 || major === 20 && minor >= 19;
Deno.test("The package can be required on Node", { ignore: !requires }, async () => {
  const all = specifiers.map((specifier) => `typeof require("${specifier}")`);
  const output = await run(`console.log(${all.join(', " ", ')})`, "commonjs");
  // Node 20.19 and 22.12 warn that it is new.
  assertStrictEquals(output.split("\n")[0]!.replaceAll(/ +/g, " "), specifiers.map(() => "object").join(" "));
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
