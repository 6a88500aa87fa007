/**
 * The servers that the documentation prints.
 *
 * @module
 */

import { readdirSync } from "node:fs";
import { assert } from "@std/assert";
import { ROOT } from "./with_server.ts";

const DOCS = readdirSync(new URL("docs/", ROOT), { recursive: true, encoding: "utf8" });
const PAGES = [
  "README.md",
  ...DOCS.filter((name) => name.endsWith(".md")).map((name) => `docs/${name.replaceAll("\\", "/")}`),
];

/** The pages, by their names. */
export const texts: ReadonlyMap<string, string> = new Map(
  PAGES.map((page) => [page, Deno.readTextFileSync(new URL(page, ROOT))]),
);

/** The servers in a text: the blocks that `deno test --doc` does not run. */
export function serversIn(text: string): string[] {
  return [...text.matchAll(/```ts ignore\n([^]*?)```/g)].map(([, code]) => code!);
}

/** The servers that a page prints below a heading. */
export function printed(heading: string, page = "README.md"): string[] {
  const section = texts.get(page)!.split(/^#+ /m).find((section) => section.startsWith(`${heading}\n`));
  assert(section !== undefined, `${page} has no heading "${heading}"`);
  return serversIn(section);
}
