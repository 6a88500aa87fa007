/**
 * Whether `@valkey/valkey-glide` sends scripts on every runtime, says which Redis does not know, and shares a limit by the
 * code that `docs/shared.md` prints. It is a project of its
 * own, since the client has twenty megabytes, of native code for the most part.
 *
 *   deno task stress:glide
 *
 * The exit code is 1 if a runtime replies with anything else. It needs `redis-server`.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { RUNTIMES } from "../../testing/runtimes.ts";
import { recipeProgram, SHARES } from "../../tests/support/redis/recipes.ts";
import { noRedis, RunningRedis } from "../../tests/support/redis/running_redis.ts";

if (noRedis) {
  console.error(noRedis);
  Deno.exit(2);
}

const HERE = new URL(".", import.meta.url);
const EXPECTED = `[[1,"two",[3,["four"]],-1],"no such script"]`;
let failed = false;

await new Deno.Command(Deno.execPath(), { args: ["install", "--quiet"], cwd: HERE }).spawn().status;
for (const [name, find] of Object.entries(RUNTIMES)) {
  await using redis = await RunningRedis.start();
  const { command, args } = await find();
  const run = name === "Deno" ? ["run", "-A"] : args;
  const program = fileURLToPath(new URL("send.ts", HERE));
  // The client logs what Redis refuses to standard error.
  const line = [...run, program, `${redis.port}`];
  const { stdout, stderr } = await new Deno.Command(command, { args: line, cwd: HERE, stderr: "piped" }).output();
  const reply = new TextDecoder().decode(stdout).trim().split("\n").at(-1);
  console.log(`${name}: ${reply === EXPECTED ? "ok" : `${reply}\n${new TextDecoder().decode(stderr)}`}`);
  failed ||= reply !== EXPECTED;
  failed ||= !await shares(name, command, run, redis.port);
}
Deno.exit(failed ? 1 : 0);

/** Whether a limit is shared by the code that the documentation prints. */
async function shares(name: string, command: string, run: readonly string[], port: number): Promise<boolean> {
  const file = fileURLToPath(new URL(`recipe_${port}.mts`, HERE));
  await Deno.writeTextFile(file, recipeProgram("@valkey/valkey-glide", port, "../../src/redis/mod.ts"));
  try {
    const { stdout, stderr } = await new Deno.Command(command, { args: [...run, file], cwd: HERE }).output();
    const said = new TextDecoder().decode(stdout).trim().split("\n").at(-1);
    console.log(`${name}: ${said === SHARES ? SHARES : `${said}\n${new TextDecoder().decode(stderr)}`}`);
    return said === SHARES;
  } finally {
    await Deno.remove(file);
  }
}
