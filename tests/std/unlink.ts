/**
 * Writes the project's configuration without the links to the stand-ins, for `deno task test:jsr`.
 *
 * @module
 */

const { links: _, ...config } = JSON.parse(Deno.readTextFileSync("deno.json"));
Deno.writeTextFileSync(".deno.jsr.json", JSON.stringify(config));
