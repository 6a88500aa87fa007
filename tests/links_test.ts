/**
 * The links of the documentation: each leads to a file of the repository, and to a heading where it names one.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");
const filesOf = (folder: string) => readdirSync(new URL(folder, ROOT), { recursive: true, encoding: "utf8" });

const PAGES = [
  ...["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"],
  ...filesOf("docs/").filter((name) => name.endsWith(".md")).map((name) => `docs/${name.replaceAll("\\", "/")}`),
];

/** A page without its code, in which a bracket is no link and a hash no heading. */
const proseOf = (page: string) => read(page).replace(/^```[^]*?^```$/gm, "");

/** The anchors that GitHub and JSR give to the headings of a page. */
function anchorsOf(page: string): string[] {
  const headings = [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!);
  return headings.map((heading) => heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-"));
}

/** The relative links of a page. */
function linksOf(page: string): string[] {
  const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

/** What is wrong with a link of a page. */
function wrongWith(page: string, link: string): string | undefined {
  const target = new URL(link, new URL(page, ROOT));
  const path = target.href.slice(ROOT.href.length).replace(/#.*$/, "");
  if (!target.href.startsWith(ROOT.href) || !existsSync(new URL(path, ROOT))) return `${page}: ${link}: no such file`;
  const anchor = target.hash.slice(1);
  if (anchor !== "" && !anchorsOf(path).includes(anchor)) return `${page}: ${link}: no such heading`;
}

test("every relative link of the documentation leads somewhere", () => {
  const wrong = PAGES.flatMap((page) => linksOf(page).map((link) => wrongWith(page, link)));
  assertEquals(wrong.filter((it) => it !== undefined), []);
});

test("what README.md links to is published with it", () => {
  const published: string[] = JSON.parse(read("deno.json")).publish.include;
  assertEquals(linksOf("README.md").filter((link) => !published.includes(link.split(/[/#]/)[0]!)), []);
});

test("no two headings of a page have the same anchor", () => {
  // GitHub would number the second, and the number changes with the order.
  const pages = PAGES.filter((page) => page !== "CHANGELOG.md");
  assertEquals(pages.filter((page) => new Set(anchorsOf(page)).size < anchorsOf(page).length), []);
});

test("every page of docs/ that the sources name is there", () => {
  const files = ["mod.ts", ...filesOf("src/").filter((name) => name.endsWith(".ts")).map((name) => `src/${name}`)];
  const wrong = files.flatMap((file) =>
    [...read(file).matchAll(/\bdocs\/[\w-]+\.md(?:#[\w-]+)?/g)].map(([link]) => wrongWith("README.md", link))
  );
  assertEquals(wrong.filter((it) => it !== undefined), []);
});

test("README.md has at most 220 lines", () => {
  assertEquals(read("README.md").split("\n").length <= 221, true);
});
