/**
 * The demo, run as a newcomer runs it: in a fresh clone, by a Deno that has fetched nothing yet.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { wrap } from "../../examples/demo/print.ts";
import { Program } from "../../testing/program.ts";
import { eventually, within } from "../support/net.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The demo promises to end within this many milliseconds. */
const PROMISED = 10_000;

/** The row of the summary for one client. */
interface Row {
  readonly tried: number;
  readonly admitted: number;
  readonly refused: number;
  readonly peak: number;
}

/** Copies a folder with all that is in it. */
async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    await (isDirectory ? copyFolder : Deno.copyFile)(join(from, name), join(to, name));
  }
}

/** What Deno has fetched into its cache: packages from npm, modules from JSR and elsewhere. */
async function fetched(cache: string): Promise<string[]> {
  const names: string[] = [];
  for (const folder of ["npm", "remote"]) {
    try {
      for await (const { name } of Deno.readDir(join(cache, folder))) names.push(`${folder}/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return names;
}

/** Reads a number for each name, from `name number` pairs. */
function readNumbers(text: string): Record<string, number> {
  return Object.fromEntries(text.matchAll(/([a-z]+) (\d+)/g).map(([, name, number]) => [name!, Number(number)]));
}

/** Reads the summary's rows, by client name. */
function readRows(output: string): Map<string, Row> {
  const rows = output.matchAll(/^ {2}127\.\d+\.\d+\.\d+ +(\S+(?: \S)?) +(\d+) +(\d+) +(\d+) +(\d+) /gm);
  return new Map(rows.map(([, name, ...numbers]) => {
    const [tried, admitted, refused, peak] = numbers.map(Number) as [number, number, number, number];
    return [name!, { tried, admitted, refused, peak }];
  }));
}

Deno.test("deno task demo fetches nothing and ends in time, with nothing open and exit code 0", async () => {
  const folder = await Deno.makeTempDir();
  const [clone, cache] = [join(folder, "clone"), join(folder, "cache")];
  let output: string;
  try {
    // Deno goes by all of these at its start. Nothing that is installed is among them.
    for (const name of ["src", "examples", "tests/std"]) await copyFolder(join(ROOT, name), join(clone, name));
    for (const name of ["deno.json", "deno.lock", "package.json", "mod.ts"]) {
      await Deno.copyFile(join(ROOT, name), join(clone, name));
    }
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "demo"],
      cwd: clone,
      env: { DENO_DIR: cache },
      stdin: "null",
      signal: AbortSignal.timeout(2 * PROMISED),
    }).output();
    output = new TextDecoder().decode(stdout);
    assertEquals(await fetched(cache), []);
    assertEquals(code, 0, output + new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }

  // By its own clock: how long it takes Deno to start is not its business.
  const seconds = [...output.matchAll(/^ *(\d+\.\d) s /gm)].map(([, time]) => Number(time));
  assertLessOrEqual(seconds.at(-1), PROMISED / 1_000);
  assert(!output.includes("\x1b"), "no escape sequences where there is no terminal");

  // The bare loop ends at a client that resets, where the system reports it.
  const bare = /^First without connlimit.*\n([^]*?)\n\nNow with/m.exec(output)?.[1];
  if (Deno.build.os === "linux") assert(/^ {2}It ended after 0\.\d+ s: NotConnected/.test(bare ?? ""), output);
  assert(bare, output);

  const totals = readNumbers(/^ {2}Total: (.*)$/m.exec(output)?.[1] ?? "");
  assertEquals(totals.open, 0, output);
  assert(totals.refused! > 0, output);

  const rows = readRows(output);
  assertEquals([...rows.keys()], ["greedy", "polite A", "polite B", "polite C", "hasty", "idle"]);
  const sum = (field: keyof Row) => rows.values().reduce((sum, row) => sum + row[field], 0);
  assertEquals(sum("admitted"), totals.admitted);
  assertEquals(sum("refused"), totals.refused);

  // Full at the highest limit of the demo, and never above it.
  assertEquals(rows.get("greedy")!.peak, 12);
  for (const polite of ["polite A", "polite B", "polite C"]) {
    const { tried, admitted, refused } = rows.get(polite)!;
    assert(tried > 0, output);
    assertEquals([admitted, refused], [tried, 0]);
    assert(output.includes(`echoes: ${tried} right, 0 wrong`), output);
  }
});

Deno.test("deno task demo --page shows the crowd until it is interrupted, and then ends by itself", async () => {
  await using demo = new Program(Deno.execPath(), ["run", "--quiet", "--allow-net", "examples/demo.ts", "--page"], {
    cwd: ROOT,
  });
  await eventually(() => demo.output.includes("\n"), "the line with the address");
  const [url] = /http:\/\/localhost:\d+\//.exec(demo.output)!;
  const page = await fetch(url);
  assert((await page.text()).startsWith("<!doctype html>"));
  await eventually(async () => {
    const { limiters: [{ stats, top }] } = await (await fetch(`${url}stats.json`)).json();
    return stats.refused > 0 && top.open.length > 1;
  }, "the crowd");
  demo.kill("SIGINT");
  const { code, signal } = await within(demo.ended, "the end");
  assertEquals([code, signal], [0, null]);
});

Deno.test("The README names the two commands, and they are tasks", async () => {
  const readme = await Deno.readTextFile(join(ROOT, "README.md"));
  const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  for (const task of ["demo", "test"]) {
    assert(task in tasks);
    assert(readme.includes(`deno task ${task} `) && readme.includes(`npx -y deno@2 task ${task}`));
  }
});

Deno.test("The demo breaks its lines between words where a terminal is narrow", () => {
  assertEquals(wrap("  1.0 s  one two three", 80, 9), "  1.0 s  one two three");
  assertEquals(wrap("  1.0 s  one two three", 16, 9), "  1.0 s  one two\n         three");
  assertEquals(wrap("  1.0 s  one two three", 12, 9), "  1.0 s  one\n         two\n         three");
  assertEquals(wrap("  1.0 s  extraordinary", 12, 9), "  1.0 s  extraordinary");
});
