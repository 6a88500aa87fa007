/**
 * Deno, Bun and Node for tests and benchmarks, from the npm registry where the machine lacks them.
 *
 * `tests/tools` is a project of its own for them, so that programs of a hundred megabytes come only with the tests, and
 * types that are not Deno's come into none of Deno's checks.
 *
 * @module
 */

import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

/** A program that runs TypeScript files, which may import the package by its name, from the repository's root. */
export interface Runtime {
  readonly version: string;
  readonly command: string;
  /** What it must be given before anything else. */
  readonly args: readonly string[];
}

/** The oldest Node that runs the tests: before 20.11 its test runner knew no deadline. */
const OLDEST_NODE = [20, 11] as const;
const NODE_WHERE_THERE_IS_NONE = "22.23.2";

const ROOT = new URL("../", import.meta.url);
const TOOLS = new URL("../tests/tools/", import.meta.url);

/** The Deno that runs this. */
export async function deno(): Promise<Runtime> {
  await install();
  return { version: Deno.version.deno, command: Deno.execPath(), args: [] };
}

/** Bun, at the version of the lock file. */
export async function bun(): Promise<Runtime> {
  await install();
  // It is called so on every system.
  const command = fileURLToPath(new URL("node_modules/bun/bin/bun.exe", TOOLS));
  const version = await versionOf(command);
  if (version === undefined) throw new Error(`${command} does not run`);
  return { version, command, args: [] };
}

/** The machine's Node if it is recent enough, and else one from the npm registry. */
export async function node(): Promise<Runtime> {
  await install();
  // By URL, since Node takes the drive in a path of Windows for a scheme.
  const tsx = pathToFileURL(createRequire(new URL("deno.json", TOOLS)).resolve("tsx")).href;
  const args = ["--import", tsx];
  for (const find of [() => "node", installNode]) {
    const command = await find();
    const version = await versionOf(command);
    if (version !== undefined && isRecent(version)) return { version, command, args };
  }
  throw new Error(`Node ${OLDEST_NODE.join(".")} or newer is needed on the PATH`);
}

let installed: Promise<void> | undefined;

/** Installs what is not there yet: the tools, and what tests and examples import, so that none of them waits for it. */
function install(): Promise<void> {
  return installed ??= (async () => {
    await runDeno(ROOT, "install", "--quiet");
    await runDeno(TOOLS, "install", "--quiet");
  })();
}

/** Installs Node for this platform. (`npm:node` would find the package by itself, with the help of npm and Node.) */
async function installNode(): Promise<string> {
  const windows = Deno.build.os === "windows";
  const platform = `${windows ? "win" : Deno.build.os}-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;
  const name = platform === "darwin-arm64" ? `node-bin-${platform}` : `node-${platform}`;
  const project = new URL("node/", TOOLS);
  await Deno.mkdir(project, { recursive: true });
  const config = { nodeModulesDir: "auto", imports: { [name]: `npm:${name}@${NODE_WHERE_THERE_IS_NONE}` } };
  await Deno.writeTextFile(new URL("deno.json", project), JSON.stringify(config));
  await runDeno(project, "install", "--quiet");
  return fileURLToPath(new URL(`node_modules/${name}/bin/node${windows ? ".exe" : ""}`, project));
}

async function runDeno(cwd: URL, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd, stdout: "inherit", stderr: "inherit" })
    .output();
  if (!success) throw new Error(`deno ${args.join(" ")} failed in ${fileURLToPath(cwd)}`);
}

async function versionOf(command: string): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args: ["--version"] }).output();
    return success ? new TextDecoder().decode(stdout).trim().replace(/^v/, "") : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST_NODE[0] || major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1];
}

/** What programs are run on. */
export type RuntimeName = "Deno" | "Bun" | "Node";

/** All of them, by their names. */
export const RUNTIMES: Readonly<Record<RuntimeName, () => Promise<Runtime>>> = {
  Deno: deno,
  Bun: bun,
  Node: node,
};
