/**
 * Runs the tests on Deno, Bun and Node, and tells at the end how each went. Those on Deno run beside those on Bun and then
 * on Node, since most of them wait for the network; their output is not mixed.
 *
 *   deno task test
 *   deno task test:node
 *   deno task test:bun tests/core/limits_test.ts
 *
 * A test is for every runtime, unless its folder is for some of them only: `tests/deno` and `tests/examples` are for Deno,
 * `tests/bun` is for Bun, and `tests/conn`, `tests/http` and `tests/listener` are for both.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import { LACKS } from "./support/platform.ts";
import { noHaproxy, noNginx, noNginxStream } from "./support/real_proxies.ts";
import { noRedis } from "./support/redis/running_redis.ts";
import { bun, deno, node, type Runtime } from "../testing/runtimes.ts";

/** How tests are run on one runtime. */
interface Suite {
  readonly name: string;
  readonly runtime: () => Promise<Runtime>;
  readonly args: readonly string[];
  /** The folders of tests for others. Without, the runtime finds the tests by itself. */
  readonly except?: readonly string[];
  /** The lines of its output that count tests. */
  readonly passed: RegExp;
  readonly failed: RegExp;
  readonly skipped: RegExp;
  /** What it says of a file without a test, which Node counts for a test that has passed. */
  readonly empty?: RegExp;
}

/** Milliseconds after which a test that has not ended has failed. */
const DEADLINE = 60_000;

const SUITES: Readonly<Record<string, Suite>> = {
  deno: {
    name: "Deno",
    runtime: deno,
    // It runs the examples in the documentation, too.
    args: ["task", "--quiet", "test:deno"],
    passed: /^(?:ok|FAILED) \| (\d+) passed\b/,
    failed: /^(?:ok|FAILED) \|.* (\d+) failed\b/,
    skipped: /^(?:ok|FAILED) \|.* (\d+) ignored\b/,
  },
  bun: {
    name: "Bun",
    runtime: bun,
    args: ["test", `--timeout=${DEADLINE}`],
    except: ["deno", "examples"],
    passed: /^ *(\d+) pass$/,
    failed: /^ *(\d+) fail$/,
    skipped: /^ *(\d+) (?:skip|todo)$/,
  },
  node: {
    name: "Node",
    runtime: node,
    // One file at a time, since some of them load the machine.
    args: ["--expose-gc", "--test", "--test-reporter=spec", "--test-concurrency=1", `--test-timeout=${DEADLINE}`],
    except: ["conn", "listener", "deno", "bun", "http", "examples"],
    passed: /^ℹ pass (\d+)$/,
    failed: /^ℹ (?:fail|cancelled) (\d+)$/,
    skipped: /^ℹ (?:skipped|todo) (\d+)$/,
    empty: /^✔ .*_test\.ts \(.*\)$/,
  },
};

/** The closing line of a suite, and what is wrong. */
type Outcome = [line: string, wrong: string];

const ROOT = new URL("../", import.meta.url);
const [only, ...chosen] = Deno.args;

/** The suites that run one after another, beside those of other lanes. */
const lanes = only === undefined ? [[SUITES.deno!], [SUITES.bun!, SUITES.node!]] : [[SUITES[only]!]];
// First, since suites use each other's packages and would install them at the same time.
for (const suite of lanes.flat()) await suite.runtime().catch(() => {});
const outcomes = (await Promise.all(lanes.map(async (suites, lane) => {
  const outcomes: Outcome[] = [];
  for (const suite of suites) outcomes.push(await run(suite, lane === 0));
  return outcomes;
}))).flat();
console.log("\n# All");
for (const outcome of outcomes) console.log(outcome.join("  ").trimEnd());
for (const lack of [...LACKS, noHaproxy, noNginx || noNginxStream, noRedis].filter(Boolean)) {
  console.log(`Some tests cannot be run here: ${lack}.`);
}
if (outcomes.some(([, wrong]) => wrong !== "")) Deno.exit(1);

/** Runs a suite, and shows its output meanwhile or at its end. */
async function run(suite: Suite, live: boolean): Promise<Outcome> {
  const start = performance.now();
  let title = suite.name;
  try {
    const { version, command, args } = await suite.runtime();
    const heading = `\n# ${title += ` ${version}`}\n\n`;
    const files = chosen.length > 0 || suite.except === undefined ? chosen : await find(suite.except);
    // Without a file they would look for files in ways of their own.
    if (suite.except !== undefined && files.length === 0) return [title, "FAILED: there are no test files"];
    const { code, lines } = await pass(command, [...args, ...suite.args, ...files], heading, live);
    const [failed, skipped] = [sum(lines, suite.failed), sum(lines, suite.skipped)];
    const passed = sum(lines, suite.passed) - lines.filter((line) => suite.empty?.test(line)).length;
    const seconds = Math.round((performance.now() - start) / 1000);
    const line = `${title.padEnd(13)} ${passed} passed, ${failed} failed, ${skipped} skipped (${seconds} s)`;
    return [line, code !== 0 ? `FAILED: exit code ${code}` : passed === 0 ? "FAILED: no test has passed" : ""];
  } catch (error) {
    return [title, `FAILED: ${error}`];
  }
}

/** The files of tests, but for those in some folders. */
async function find(except: readonly string[], folder = "tests"): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (name.endsWith("_test.ts")) files.push(`./${folder}/${name}`);
    if (isDirectory && name !== "node_modules" && !except.includes(name)) {
      files.push(...await find([], `${folder}/${name}`));
    }
  }
  return files.sort();
}

/** Runs a program at the root, and passes its output on. Resolves to its exit code and the lines of its output. */
async function pass(
  command: string,
  args: readonly string[],
  heading: string,
  live: boolean,
): Promise<{ code: number; lines: string[] }> {
  const child = new Deno.Command(command, {
    args: [...args],
    cwd: ROOT,
    env: Deno.stdout.isTerminal() && !Deno.noColor ? { FORCE_COLOR: "1" } : {},
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const chunks: Uint8Array[] = [new TextEncoder().encode(heading)];
  const show = () => chunks.splice(0).forEach((chunk) => writeAll(chunk));
  if (live) show();
  let text = "";
  const read = async (from: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of from) {
      text += decoder.decode(chunk, { stream: true });
      chunks.push(chunk);
      if (live) show();
    }
  };
  const [{ code }] = await Promise.all([child.status, read(child.stdout), read(child.stderr)]);
  show();
  return { code, lines: stripVTControlCharacters(text).split(/\r?\n/) };
}

function writeAll(chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length;) at += Deno.stdout.writeSync(chunk.subarray(at));
}

/** The sum of the numbers in those lines that fit. */
function sum(lines: readonly string[], pattern: RegExp): number {
  return lines.reduce((total, line) => total + Number(pattern.exec(line)?.[1] ?? 0), 0);
}
