/**
 * Programs that documentation prints, in the project of a user.
 *
 * @module
 */

import { assert } from "@std/assert";
import { projectOf } from "./published.ts";
import { type Serving, withServer } from "./with_server.ts";
import type { RuntimeName } from "../../testing/runtimes.ts";

type ProgramOptions = { permissions?: readonly string[]; stderr?: "inherit" | "pipe" };

/** Runs a server's program in a user's project. */
export async function withProgram(
  program: string,
  use: (serving: Serving) => Promise<void>,
  runtime: RuntimeName = "Deno",
  { permissions = [], stderr = "inherit" }: ProgramOptions = {},
): Promise<void> {
  assert(program.includes("7000"));
  const cwd = await projectOf(runtime);
  const argsAt = async (port: number) => {
    const file = await Deno.makeTempFile({ dir: cwd, suffix: ".ts" });
    await Deno.writeTextFile(file, program.replaceAll("7000", `${port}`));
    // On Deno its types are checked, and it may do no more than listen, unless told otherwise.
    const net = `--allow-net=0.0.0.0:${port},[::]:${port},127.0.0.1:${port},:${port}`;
    const run = ["run", "--quiet", "--check", ...permissions, net];
    return [...runtime === "Deno" ? run : [], file];
  };
  await withServer(runtime, argsAt, use, { cwd, stderr });
}
