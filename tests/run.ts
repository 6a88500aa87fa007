/**
 * Runs the tests on Deno, Bun and Node, and tells at the end how each went. All run at the same time, since most tests wait
 * for the network; their output is not mixed.
 *
 *   deno task test
 *   deno task test:node
 *   deno task test:bun tests/core/limits_test.ts
 *
 * A test is for every runtime, unless its folder is for some of them only: `tests/deno` and `tests/examples` are for Deno,
 * `tests/bun` is for Bun, and `tests/conn`, `tests/http` and `tests/listener` are for both. `tests/frameworks` is a project
 * of its own.
 *
 * @module
 */

import { noBrowser } from "./support/browser.ts";
import { LACKS } from "./support/platform.ts";
import { noHaproxy, noNginx, noNginxStream } from "./support/real_proxies.ts";
import { noRedis } from "./support/redis/running_redis.ts";
import { bun, deno, node, type Runtime } from "../testing/runtimes.ts";

/** How tests are run on one runtime. */
interface Suite {
  readonly name: string;
  readonly runtime: () => Promise<Runtime>;
  readonly args: readonly string[];
  /** What it runs where no files are chosen. */
  readonly files: () => Promise<readonly string[]>;
  /** Its arguments for a report in JUnit's format, at a path. */
  readonly report: (path: string) => readonly string[];
}

/** Milliseconds after which a test that has not ended has failed. */
const DEADLINE = 60_000;

const SUITES: Readonly<Record<string, Suite>> = {
  deno: {
    name: "Deno",
    runtime: deno,
    // It runs the examples in the documentation, too.
    args: ["task", "--quiet", "test:deno"],
    files: () => Promise.resolve(["."]),
    report: (path) => [`--junit-path=${path}`],
  },
  bun: {
    name: "Bun",
    runtime: bun,
    args: ["test", `--timeout=${DEADLINE}`],
    files: () => find(["deno", "examples", "frameworks"]),
    report: (path) => ["--reporter=junit", `--reporter-outfile=${path}`],
  },
  node: {
    name: "Node",
    runtime: node,
    // One file at a time, since some of them load the machine.
    args: ["--expose-gc", "--test", "--test-concurrency=1", `--test-timeout=${DEADLINE}`],
    files: () => find(["conn", "listener", "deno", "bun", "http", "examples", "frameworks"]),
    report: (path) => [
      ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
      ...["--test-reporter=junit", `--test-reporter-destination=${path}`],
    ],
  },
};

/** The closing line of a suite, and what is wrong. */
type Outcome = [line: string, wrong: string];

const ROOT = new URL("../", import.meta.url);
const [only, ...chosen] = Deno.args;

const suites = only === undefined ? Object.values(SUITES) : [SUITES[only]!];
// First, since suites use each other's packages and would install them at the same time.
for (const suite of suites) await suite.runtime().catch(() => {});
// By URL, since it imports what is installed only now.
const { readReport }: typeof import("./support/junit.ts") = await import(new URL("tests/support/junit.ts", ROOT).href);
const running: Promise<Outcome>[] = [];
for (const suite of suites) running.push(run(suite, running.at(-1)));
const outcomes = await Promise.all(running);
console.log("\n# All");
for (const outcome of outcomes) console.log(outcome.join("  ").trimEnd());
for (const lack of [...LACKS, noHaproxy, noNginx || noNginxStream, noRedis, noBrowser].filter(Boolean)) {
  console.log(`Some tests cannot be run here: ${lack}.`);
}
if (outcomes.some(([, wrong]) => wrong !== "")) Deno.exit(1);

/** Runs a suite. Its output is shown after another's. */
async function run(suite: Suite, after: Promise<unknown> | undefined): Promise<Outcome> {
  const start = performance.now();
  let title = suite.name;
  try {
    const { version, command, args } = await suite.runtime();
    const heading = `\n# ${title += ` ${version}`}\n\n`;
    const files = chosen.length > 0 ? chosen : await suite.files();
    // Without a file the runners would look for files in ways of their own.
    if (files.length === 0) return [title, "FAILED: there are no test files"];
    const path = await Deno.makeTempFile({ suffix: ".xml" });
    const { code, end } = await pass(
      command,
      [...args, ...suite.args, ...suite.report(path), ...files],
      heading,
      after,
    );
    const { passed, failed, skipped } = readReport(await Deno.readTextFile(path));
    await Deno.remove(path);
    const seconds = Math.round((end - start) / 1000);
    const line = `${title.padEnd(15)} ${passed} passed, ${failed.length} failed, ${skipped} skipped (${seconds} s)`;
    // Once more at the end, since thousands of lines follow where they failed.
    const names = failed.map((name) => `\n  ${name}`).join("");
    if (code !== 0) return [line, `FAILED: exit code ${code}${names}`];
    return [line, passed === 0 ? "FAILED: no test has passed" : ""];
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

/**
 * Runs a program at the root, and passes its output on: at once, or after others. Resolves to its exit code and the time
 * at which it ended.
 */
async function pass(
  command: string,
  args: readonly string[],
  heading: string,
  after: Promise<unknown> | undefined,
): Promise<{ code: number; end: number }> {
  const child = new Deno.Command(command, {
    args: [...args],
    cwd: ROOT,
    env: Deno.stdout.isTerminal() && !Deno.noColor ? { FORCE_COLOR: "1" } : {},
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let live = after === undefined;
  const chunks: Uint8Array[] = [new TextEncoder().encode(heading)];
  const show = () => chunks.splice(0).forEach((chunk) => writeAll(chunk));
  const read = async (from: ReadableStream<Uint8Array>) => {
    for await (const chunk of from) {
      chunks.push(chunk);
      if (live) show();
    }
  };
  if (live) show();
  const shown = after?.then(() => {
    live = true;
    show();
  });
  const ended = child.status.then(({ code }) => ({ code, end: performance.now() }));
  const [result] = await Promise.all([ended, read(child.stdout), read(child.stderr), shown]);
  return result;
}

function writeAll(chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length;) at += Deno.stdout.writeSync(chunk.subarray(at));
}
