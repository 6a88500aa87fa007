/**
 * How the folders of `src/` may depend on each other, how `tests/` mirrors them, and how long files may be. CONTRIBUTING.md
 * has the picture.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";

const SRC = new URL("../src/", import.meta.url);
const TESTS = new URL("./", import.meta.url);

/** The folders from the bottom to the top. Those of one floor do not know each other. */
const FLOORS = [
  ["core"],
  ["admission"],
  ["conn", "shared"],
  ["deno", "bun", "node", "http", "proxy", "redis", "otel", "dashboard"],
  ["listener"],
];

/** What each file of `src/` imports or exports from, types included, as paths below `src/`. */
const imports = new Map(
  readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"))
    .map((path) => [path, importsOf(path)] as const),
);

function importsOf(path: string): string[] {
  const text = readFileSync(new URL(path, SRC), "utf8");
  const specifiers = [...text.matchAll(/(?:^(?:import|export)\b[^;]*?\bfrom |^import |\bimport\()"([^"]+)"/gm)];
  return specifiers.map(([, specifier]) =>
    specifier!.startsWith(".") ? new URL(specifier!, new URL(path, SRC)).href.slice(SRC.href.length) : specifier!
  );
}

const folderOf = (path: string) => path.split("/")[0]!;
const floorOf = (path: string) => FLOORS.findIndex((folders) => folders.includes(folderOf(path)));

test("every file of src/ is in a folder that has a floor", () => {
  assertEquals([...imports.keys()].filter((path) => floorOf(path) < 0 || !path.includes("/")), []);
});

test("no file of src/ imports upwards, or from another folder of its own floor", () => {
  const wrong = [...imports].flatMap(([path, targets]) =>
    targets
      .filter((target) => !target.startsWith("node:"))
      .filter((target) =>
        folderOf(target) !== folderOf(path) && !(floorOf(target) < floorOf(path) && floorOf(target) >= 0)
      )
      .map((target) => `${path} imports ${target}`)
  );
  assertEquals(wrong, []);
});

test("no files of src/ import each other in a circle", () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]) => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(" > "));
    if (done.has(path)) return;
    done.add(path);
    for (const target of imports.get(path) ?? []) visit(target, [...way, path]);
  };
  for (const path of imports.keys()) visit(path, []);
  assertEquals(circles, []);
});

test("src/ imports nothing but its own files and modules of node:", () => {
  const targets = new Set([...imports.values()].flat());
  assertEquals([...targets].filter((target) => !imports.has(target) && !target.startsWith("node:")), []);
  assertEquals(
    [...imports].filter(([path, targets]) => folderOf(path) === "core" && targets.some((it) => it.startsWith("node:"))),
    [],
  );
});

test("every test of a folder of src/ is named after a file of that folder", () => {
  const sources = [...imports.keys()].map((path) => path.replace(/\.ts$/, ""));
  const folders = new Set([...imports.keys()].map(folderOf));
  const tests = [...folders].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, TESTS))
      .filter((name) => name.endsWith("_test.ts"))
      .map((name) => `${folder}/${name}`)
  );
  const strays = tests.filter((path) => !sources.some((source) => path.startsWith(`${source}_`)));
  // It runs what is in `examples/`, on Bun.
  assertEquals(strays, ["bun/examples_test.ts"]);
});

/** The most lines of a file, and of the file of `src/` that has as many longer ones as shorter ones. */
const LONGEST = 250;
const MEDIAN = 120;

/** The numbers of lines of the sources below a folder, by their paths. Reports and installed packages are none. */
function linesBelow(folder: string, lines: Map<string, number> = new Map()): Map<string, number> {
  for (const entry of readdirSync(new URL(`../${folder}/`, TESTS), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory() && !["node_modules", "results"].includes(entry.name)) linesBelow(path, lines);
    if (!/\.(?:ts|tsx|js|mjs)$/.test(entry.name)) continue;
    lines.set(path, readFileSync(new URL(`../${path}`, TESTS), "utf8").split("\n").length - 1);
  }
  return lines;
}

test("no source is longer than 250 lines", () => {
  const lines = new Map(["src", "tests", "bench", "stress", "examples"].flatMap((folder) => [...linesBelow(folder)]));
  assert([...lines.keys()].includes("tests/structure_test.ts"));
  assertEquals([...lines].filter(([, count]) => count > LONGEST), []);
});

test("half of the files of src/ have no more than 120 lines", () => {
  const counts = [...linesBelow("src").values()].sort((one, other) => one - other);
  const median = counts[counts.length >> 1]!;
  assert(median <= MEDIAN, `the median is ${median} lines`);
});
