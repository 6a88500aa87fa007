/**
 * What users of Node get: JavaScript, with declarations beside it.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { node } from "../support/runtimes.ts";

const ROOT = new URL("../../", import.meta.url);

async function run(command: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(command, { args, cwd: ROOT }).output();
  return [stdout, stderr].map((output) => new TextDecoder().decode(output)).join("");
}

/** Takes the types out of the sources and leaves the rest as it is. That they are right is seen to elsewhere. */
async function strip(folder: string): Promise<void> {
  const options = "--noEmit false --target esnext --rewriteRelativeImportExtensions --rootDir .";
  const command = `tsc -p tests/types/standard.tsconfig.json ${options} --outDir ${folder}`;
  await run(Deno.execPath(), "task", "--config", "tests/tools/deno.json", "--eval", command);
  await Deno.writeTextFile(`${folder}/package.json`, '{ "type": "module" }');
}

Deno.test("The library runs on Node without its types, and its declarations need those of no runtime", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const { command } = await node();
  const folder = await Deno.makeTempDir();
  try {
    await strip(folder);
    for (const entry of Object.values<string>(exports)) {
      const url = JSON.stringify(`${folder}/${entry.replace(/ts$/, "js")}`);
      const program = `console.log(typeof await import(${url}))`;
      assertStrictEquals(await run(command, "--input-type=module", "--eval", program), "object\n");
    }
    const declarations = (await filesIn(folder)).filter((file) => file.endsWith(".d.ts"));
    const text = (await Promise.all(declarations.map((file) => Deno.readTextFile(file)))).join("\n");
    assertStrictEquals(text.includes("export declare class Limiter"), true);
    assertEquals(text.match(/^\/\/\/ *<reference.*|^(import|export)\b.* from "[^.].*|\bimport\("[^.].*/gm), null);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function filesIn(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const files = entries.map(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${folder}/${name}`) : `${folder}/${name}`
  );
  return (await Promise.all(files)).flat();
}
