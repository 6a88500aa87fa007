/**
 * Whether `@valkey/valkey-glide` sends scripts on every runtime, and says which Redis does not know. It is a project of its
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
}
Deno.exit(failed ? 1 : 0);
