/**
 * The clients of Redis as `docs/shared.md` connects them share a limit.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { assertEquals } from "@std/assert";
import { type RuntimeName, RUNTIMES } from "../../testing/runtimes.ts";
import { recipeProgram, RECIPES, SHARES } from "../support/redis/recipes.ts";
import { noRedis, RunningRedis } from "../support/redis/running_redis.ts";
import { SmallCluster } from "../support/redis/small_cluster.ts";
import { testUnless } from "../support/test_unless.ts";

/** `deno task stress:glide` has the one that is too large. */
const NAMES = [...RECIPES.keys()].filter((name) => name !== "@valkey/valkey-glide");

async function run(name: string, runtime: RuntimeName, port: number): Promise<string> {
  const file = await Deno.makeTempFile({ dir: fileURLToPath(new URL(".", import.meta.url)), suffix: ".mts" });
  try {
    await Deno.writeTextFile(file, recipeProgram(name, port));
    const { command, args } = await RUNTIMES[runtime]();
    const line = [...args, ...runtime === "Deno" ? ["run", "-A"] : [], file];
    const { stdout, stderr } = await new Deno.Command(command, { args: line }).output();
    const said = new TextDecoder().decode(stdout).trim();
    return said === SHARES ? said : `${said}${new TextDecoder().decode(stderr)}`;
  } finally {
    await Deno.remove(file);
  }
}

testUnless(noRedis, "each client of Redis shares a limit by the code that the documentation prints", async () => {
  await using redis = await RunningRedis.start();
  await using cluster = await SmallCluster.start();
  const seen = await Promise.all(NAMES.map(async (name) => {
    const { port } = name.includes("Cluster") ? cluster.masters[0]! : redis;
    return [name, await run(name, name === "Bun" ? "Bun" : "Deno", port)];
  }));
  assertEquals(seen, NAMES.map((name) => [name, SHARES]));
});
