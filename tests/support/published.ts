/**
 * The package as its users get it: made of what is published, and of nothing else.
 *
 * @module
 */

import { cp } from "node:fs/promises";
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
  const published = join(folder, "published");
  const { name, version, exports, publish } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  for (const path of publish.include) await cp(join(ROOT, path), join(published, path), { recursive: true });
  // The rest of it is about this repository, and Deno warns of some where it is linked.
  await Deno.writeTextFile(join(published, "deno.json"), JSON.stringify({ name, version, exports }));
  const config = { imports: { [name]: `jsr:${name}@^${version}` }, links: ["./published"] };
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(config));
  return folder;
}

/** What `npm install` leaves: the package that is published to npm, unpacked. */
async function makeNpmProject(): Promise<string> {
  const folder = makeFolder();
  const tarball = join(folder, "package.tgz");
  await run(Deno.execPath(), "pack", "--allow-dirty", "--output", tarball);
  await run("tar", "-xzf", tarball, "-C", folder);
  const { name } = JSON.parse(await Deno.readTextFile(join(folder, "package/package.json")));
  const installed = join(folder, "node_modules", ...name.split("/"));
  await Deno.mkdir(dirname(installed), { recursive: true });
  await Deno.rename(join(folder, "package"), installed);
  return folder;
}

function makeFolder(): string {
  const folder = Deno.makeTempDirSync();
  addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  return folder;
}

async function run(command: string, ...args: string[]): Promise<void> {
  const env = { NO_COLOR: "1" };
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd: ROOT, env }).output();
  const output = [stdout, stderr].map((text) => new TextDecoder().decode(text)).join("");
  if (!success) throw new Error(`${command} ${args.join(" ")} has failed:\n${output}`);
}
