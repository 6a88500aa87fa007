/**
 * What the documentation says about clients of Redis, as programs.
 *
 * @module
 */

import { assert } from "@std/assert";
import { printed } from "../documentation.ts";

/** The blocks of code, by the comment that each begins with. */
export const RECIPES: ReadonlyMap<string, string> = new Map(
  printed("Clients of Redis and Valkey", "docs/shared.md").map((block) => {
    const name = /^\/\/ (.*)\n/.exec(block)?.[1];
    assert(name !== undefined, "each block begins with a comment that names the client");
    return [name, block];
  }),
);

/** What {@linkcode recipeProgram} prints when all is as it should be. */
export const SHARES = "shares";

/** A program that shares a limit by a client as the documentation does. */
export function recipeProgram(name: string, port: number, redis = "@connlimit/connlimit/redis"): string {
  const block = RECIPES.get(name);
  assert(block !== undefined, `the documentation has no client "${name}"`);
  assert(block.includes("6379"));
  return `import process from "node:process";
import { SharedLimiter } from ${JSON.stringify(redis)};
${block.replaceAll("6379", `${port}`).replaceAll("localhost", "127.0.0.1")}
const options = { name: \`chat-\${process.pid}\`, send, deadlineMs: 5_000, heartbeatMs: 500, deadMs: 60_000 };
const limiters = [1, 2].map(() => new SharedLimiter({ maxPerClient: 2 }, options));
const end = Date.now() + 20_000;
while (limiters.some(({ status }) => status !== "up") && Date.now() < end) await new Promise((r) => setTimeout(r, 20));
const first = await limiters[0]!.tryAccept("192.0.2.7");
const second = await limiters[1]!.tryAccept("192.0.2.7");
const third = await limiters[0]!.tryAccept("192.0.2.7");
const seen = [first.admitted, second.admitted, third.admitted, await limiters[1]!.openEverywhere("192.0.2.7")];
await Promise.all(limiters.map((limiter) => limiter.close()));
console.log(JSON.stringify(seen) === "[true,true,false,2]" ? "${SHARES}" : JSON.stringify(seen));
process.exit();
`;
}
