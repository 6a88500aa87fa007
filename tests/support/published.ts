/**
 * The package as its users get it: made of the files that are published, and of nothing else.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RuntimeName } from "../../testing/runtimes.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The project of a user, in a folder of its own that is removed when the tests have ended. */
export function projectOf(runtime: RuntimeName): Promise<string> {
  return runtime === "Deno" ? jsrProject ??= makeJsrProject() : npmProject ??= makeNpmProject();
}

let jsrProject: Promise<string> | undefined;
let npmProject: Promise<string> | undefined;

/** What `deno add` leaves; the package is not fetched, but linked. */
async function makeJsrProject(): Promise<string> {
  const folder = makeFolder();
  const { name, version } = await copyPublished(join(folder, "published"));
  const config = { imports: { [name]: `jsr:${name}@^${version}` }, links: ["./published"] };
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(config));
  return folder;
}

/** What `npx jsr add` leaves: JavaScript with declarations beside it. */
async function makeNpmProject(): Promise<string> {
  const folder = makeFolder();
  const published = join(folder, "published");
  const { name, version, exports } = await copyPublished(published);
  const installed = join(folder, "node_modules", ...name.split("/"));
  await stripTypes(published, installed);
  const entries = Object.entries(exports).map(([entry, file]) => {
    const path = file.replace(/\.ts$/, "");
    return [entry, { types: `${path}.d.ts`, default: `${path}.js` }];
  });
  const config = { name, version, type: "module", exports: Object.fromEntries(entries) };
  await Deno.writeTextFile(join(installed, "package.json"), JSON.stringify(config));
  return folder;
}

function makeFolder(): string {
  const folder = Deno.makeTempDirSync();
  addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  return folder;
}

/** The package's name, version and entry points. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
}

async function copyPublished(to: string): Promise<Manifest> {
  const list = await run("publish", "--dry-run", "--allow-dirty", "--no-check");
  const files = [...list.matchAll(/^ +(file:\S+) \(/gm)].map(([, url]) => fileURLToPath(url!));
  for (const file of files) {
    const copy = join(to, file.slice(ROOT.length));
    await Deno.mkdir(dirname(copy), { recursive: true });
    await Deno.copyFile(file, copy);
  }
  const config = join(to, "deno.json");
  const { name, version, exports } = JSON.parse(await Deno.readTextFile(config));
  // The rest of it is about this repository, and Deno warns of some where it is linked.
  await Deno.writeTextFile(config, JSON.stringify({ name, version, exports }));
  return { name, version, exports };
}

/** Takes the types out of the sources and leaves the rest as it is. That they are right is seen to elsewhere. */
async function stripTypes(from: string, to: string): Promise<void> {
  const config = {
    extends: join(ROOT, "tsconfig.json"),
    // For what they import of `node:`.
    include: [".", join(ROOT, "tests/types/timers.d.ts")],
    compilerOptions: { noEmit: false, rewriteRelativeImportExtensions: true },
  };
  await Deno.writeTextFile(join(from, "tsconfig.json"), JSON.stringify(config));
  // The shell of `deno task` takes backslashes for its own.
  const paths = `-p ${from} --outDir ${to} --rootDir ${from}`.replaceAll("\\", "/");
  await run("task", "--config", "tests/tools/deno.json", "--eval", `tsc ${paths}`);
}

async function run(...args: string[]): Promise<string> {
  const env = { NO_COLOR: "1" };
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT, env }).output();
  const output = [stdout, stderr].map((text) => new TextDecoder().decode(text)).join("");
  if (!success) throw new Error(`deno ${args.join(" ")} has failed:\n${output}`);
  return output;
}
