/**
 * The demo, run as a user runs it.
 *
 * @module
 */

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** The demo promises to end within this many milliseconds. */
const PROMISED = 10_000;

/** The row of the summary for one client. */
interface Row {
  readonly tried: number;
  readonly admitted: number;
  readonly refused: number;
  readonly peak: number;
}

/** The arguments after `deno` in the task that users start. */
async function demoArguments(): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const [deno, ...args] = tasks.demo.command.split(" ");
  assertEquals(deno, "deno");
  return args;
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

Deno.test("deno task demo ends in time, with nothing open and exit code 0", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: await demoArguments(),
    cwd: ROOT,
    stdin: "null",
    signal: AbortSignal.timeout(2 * PROMISED),
  }).output();
  const output = new TextDecoder().decode(stdout);

  assertEquals(code, 0, output + new TextDecoder().decode(stderr));
  // By its own clock: how long it takes Deno to start is not its business.
  const seconds = [...output.matchAll(/^ *(\d+\.\d) s /gm)].map(([, time]) => Number(time));
  assertLessOrEqual(seconds.at(-1), PROMISED / 1_000);
  assert(!output.includes("\x1b"), "no escape sequences where there is no terminal");

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
