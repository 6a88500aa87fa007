/**
 * Programs with packages of npm, such as frameworks.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { RuntimeName } from "../../testing/runtimes.ts";
import { type Serving, withServer } from "./with_server.ts";

/** Runs a program that may import what `package.json` names. It is given its port as an argument. */
export async function withPackages(
  program: string,
  runtime: RuntimeName,
  use: (serving: Serving) => Promise<void>,
  options: Parameters<typeof withServer>[3] = {},
): Promise<void> {
  // In the project, for the sake of the packages' names; and a module, for Node, by its extension.
  const file = await Deno.makeTempFile({ dir: fileURLToPath(new URL(".", import.meta.url)), suffix: ".mts" });
  try {
    await Deno.writeTextFile(file, `import process from "node:process";\n${program}`);
    const run = runtime === "Deno" ? ["run", "-A"] : [];
    await withServer(runtime, (port) => [...run, file, `${port}`], use, options);
  } finally {
    await Deno.remove(file);
  }
}
