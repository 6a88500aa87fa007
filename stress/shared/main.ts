/**
 * Whether limiters on several processes and runtimes share a limit exactly, what every failure of their store or network does to
 * it, with the usual heartbeats, and whether servers keep anything of clients that have left.
 *
 *   deno task stress:shared
 *   deno task stress:shared --seconds 5 --only exactness
 *
 * Prints a report. A whole run also writes it to `stress/results/shared.md`. The exit code is 1 if a condition does not hold.
 * It needs `redis-server`.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { describe, thisMachine } from "../../bench/lib/machine.ts";
import { judge } from "../../tests/support/redis/failure.ts";
import { FAILURES } from "../../tests/support/redis/failures.ts";
import type { Pace } from "../../tests/support/redis/lab.ts";
import { noRedis, RunningRedis } from "../../tests/support/redis/running_redis.ts";
import { measureExactness } from "./exactness.ts";
import { LEVELS, type SharedLevelName } from "./levels.ts";
import { measureLeaks } from "./sockets.ts";

/** As they are by default. */
const USUAL: Pace = { heartbeatMs: 3_000, deadMs: 10_000, deadlineMs: 200, keyTtlMs: 600_000 };
/** Seconds. */
const WHOLE = 30;
/** How much of a limit is to be used where there is demand for more. */
const USED = 0.98;
const HOLD_MS = 500;
const CONNECTIONS = 20_000;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    seconds: { type: "string", default: `${WHOLE}` },
    only: { type: "string", default: "exactness,failures,sockets" },
  },
});
const seconds = Number(values.seconds);
const parts = values.only.split(",");
if (noRedis) fail(noRedis);
if (!(seconds > 0)) fail(`--seconds must be a positive number, got ${values.seconds}`);
const PARTS = ["exactness", "failures", "sockets"];
const unknown = parts.find((part) => !PARTS.includes(part));
if (unknown !== undefined) fail(`--only: ${unknown} is none of ${PARTS.join(", ")}`);

const wrongs: string[] = [];
const lines = ["# One limit over several processes", "", describe(await thisMachine()), ""];
if (parts.includes("exactness")) await exactness();
if (parts.includes("failures")) await failures();
if (parts.includes("sockets")) await sockets();
lines.push(
  ...wrongs.length === 0
    ? ["Every condition holds."]
    : ["These conditions do not hold:", "", ...wrongs.map((it) => `- ${it}`)],
);
const report = `${lines.join("\n")}\n`;
console.log(report);
if (seconds >= WHOLE && parts.length === PARTS.length) {
  await Deno.writeTextFile(new URL("../results/shared.md", import.meta.url), report);
}
Deno.exit(wrongs.length > 0 ? 1 : 0);

async function sockets(): Promise<void> {
  const { tried, echoed, admitted, refused, open, unhandled, left } = await measureLeaks(CONNECTIONS);
  lines.push(
    "## Connections",
    "",
    "Three servers, and clients that reset, leave while the store is asked, or stay.",
    "",
  );
  lines.push("| tried | echoed | admitted | refused | kept |", "|---|---|---|---|---|");
  lines.push(`| ${tried} | ${echoed} | ${admitted} | ${refused} | ${open} |`, "");
  if (open > 0) wrongs.push(`sockets: ${open} are kept`);
  if (unhandled > 0) wrongs.push(`sockets: ${unhandled} unhandled rejections`);
  if (left.length > 0) wrongs.push(`sockets: these keys were left: ${left.join(", ")}`);
}

async function exactness(): Promise<void> {
  lines.push(`## Exactness`, "");
  lines.push(
    `Four processes, each with another client of Redis, ask for more than the limit for ${seconds} seconds.`,
    "",
  );
  lines.push("| level | limit | most open | used | admitted | refused |", "|---|---|---|---|---|---|");
  for (const name of Object.keys(LEVELS) as SharedLevelName[]) {
    const { max, most, used, admitted, refused, unhandled, left } = await measureExactness(
      name,
      seconds * 1_000,
      HOLD_MS,
    );
    lines.push(`| ${name} | ${max} | ${most} | ${(100 * used).toFixed(1)} % | ${admitted} | ${refused} |`);
    if (most > max) wrongs.push(`${name}: ${most} open at a limit of ${max}`);
    if (used < USED) wrongs.push(`${name}: ${(100 * used).toFixed(1)} % used, at least ${100 * USED} %`);
    if (unhandled > 0) wrongs.push(`${name}: ${unhandled} unhandled rejections`);
    if (left.length > 0) wrongs.push(`${name}: these keys were left: ${left.join(", ")}`);
  }
  lines.push("");
}

/** One after the other, so that none waits for another's. */
async function failures(): Promise<void> {
  const { heartbeatMs, deadMs, deadlineMs } = USUAL;
  lines.push("## Failures", "");
  lines.push(
    `Heartbeat ${heartbeatMs} ms, dead after ${deadMs} ms, deadline ${deadlineMs} ms. While the store is away nobody is`,
  );
  lines.push('admitted (`onStoreDown: "closed"`).', "");
  lines.push("| failure | most over the limit | allowed | healed after | allowed |", "|---|---|---|---|---|");
  await using redis = await RunningRedis.start();
  for (const failure of FAILURES) {
    const { name, over, heals } = failure;
    try {
      const seen = await failure.run({ pace: USUAL, redis });
      lines.push(
        `| ${name} | ${seen.over} | ${over} | ${(seen.healed / 1_000).toFixed(2)} s | ${heals(USUAL) / 1_000} s |`,
      );
      wrongs.push(...judge(failure, seen, USUAL));
    } catch (error) {
      lines.push(`| ${name} | | ${over} | | ${heals(USUAL) / 1_000} s |`);
      wrongs.push(`${name}: ${(error as Error).message.split("\n")[0]}`);
    }
  }
  lines.push("");
}

function fail(message: string): never {
  console.error(message);
  Deno.exit(2);
}
