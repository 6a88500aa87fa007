/**
 * What users of Node get: JavaScript, with declarations beside it.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { projectOf } from "../support/published.ts";
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

async function filesIn(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const files = entries.map(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${folder}/${name}`) : `${folder}/${name}`
  );
  return (await Promise.all(files)).flat();
}
