/**
 * The report of the attacks, as text for the terminal and as Markdown.
 *
 * @module
 */

import { markdownTable } from "markdown-table";
import { describe, thisMachine } from "../../bench/lib/machine.ts";
import { ATTACKS, MAX_PER_CLIENT, type Mode } from "./attacks.ts";
import { type Figure, judge, latency, MOST_MILLISECONDS, type Row } from "./judge.ts";
import { reasonFor } from "./reasons.ts";
import type { Outcome } from "./round.ts";
import { SERVERS } from "./targets.ts";

/** Those that a limited server must not miss. */
const HARD: readonly Figure[] = ["served", "peak", "leaked", "survived"];

/** What a limited server misses that it must not, without a reason that is known. */
export function faults(row: Row): string[] {
  if (row.mode === "bare") return [];
  const shown = judge(row);
  const wrong = HARD.filter((figure) => !shown[figure].reached && reasonFor(row, figure, []) === undefined)
    .map((figure) => `${figure}: ${shown[figure].text}`);
  // An attack that does not come about proves nothing.
  if (row.attack === "hooks" && row.outcome.state.hooks === 0) wrong.push("no hook was called");
  return wrong;
}

function memory({ memory }: Outcome): string {
  return memory.filter((megabytes) => megabytes > 0).map((megabytes) => megabytes.toFixed(0)).join(" → ");
}

function cells(row: Row): string[] {
  const shown = judge(row);
  const mark = (figure: Figure) => shown[figure].reached ? shown[figure].text : `**✗ ${shown[figure].text}**`;
  return [
    `${row.outcome.attempts}, ${row.outcome.served}`,
    mark("served"),
    mark("established"),
    latency(row.outcome.during.fresh),
    mark("peak"),
    mark("leaked"),
    memory(row.outcome),
    mark("survived"),
  ];
}

/** One row, for the terminal. */
export function line(row: Row): string {
  return `${row.server}, ${row.mode}, ${row.attack}: ${cells(row).join(" | ").replaceAll("**", "")}${
    notes(row, "\n    ")
  }`;
}

function notes(row: Row, before: string): string {
  const { during: { established, fresh }, complaints } = row.outcome;
  const failures = [...Object.entries(established.failures), ...Object.entries(fresh.failures)]
    .map(([how, count]) => `${count} × ${how}`);
  const said = complaints.trim().split("\n")[0] ?? "";
  return [failures.join(", "), said].filter((text) => text !== "").map((text) => before + text).join("");
}

const HEAD = [
  "attack",
  "server",
  "attempts, served",
  "honest served",
  "established, p50 / p99 ms",
  "new, p50 / p99 ms",
  "peak",
  "leaked",
  "memory, MB",
  "survived",
];

/** The whole report, in Markdown. */
export async function report(rows: readonly Row[], seconds: number): Promise<string> {
  const parts = [introduction(seconds), describe(await thisMachine())];
  for (const server of Object.keys(SERVERS)) {
    const own = rows.filter((row) => row.server === server);
    if (own.length === 0) continue;
    parts.push(`## ${server}`, `${SERVERS[server]!.limitedBy}. ${calm(own)}`, table(own), ...shortfalls(own));
  }
  return parts.join("\n\n") + "\n";
}

function calm(rows: readonly Row[]): string {
  const times = (mode: (mode: Mode) => boolean) =>
    latency({
      times: rows.filter((row) => mode(row.mode)).flatMap(({ outcome }) => outcome.before.established.times),
    });
  return `Without an attack, established, p50 / p99: ${times((mode) => mode !== "bare")} ms, bare ${
    times((mode) => mode === "bare")
  } ms.`;
}

function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => [row.attack, row.mode, ...cells(row)]);
  return markdownTable([HEAD, ...lines]);
}

/** A line for each figure of a limited server that falls short. */
function shortfalls(rows: readonly Row[]): string[] {
  const lines = rows.filter(({ mode }) => mode !== "bare").flatMap((row) => {
    const shown = judge(row);
    const short = (Object.keys(shown) as Figure[]).filter((figure) => !shown[figure].reached);
    return short.map((figure) =>
      `- ${row.attack}, ${row.mode}, ${figure}: ${reasonFor(row, figure, rows) ?? "no reason is known"}`
    );
  });
  return lines.length === 0 ? [] : ["What falls short:", lines.join("\n")];
}

function introduction(seconds: number): string {
  return `# Under attack

By \`deno task attack\`: each server in a process of its own, limited to ${MAX_PER_CLIENT} connections, or requests in flight,
of each client, and beside it the same server without limits, *bare*. A crowd attacks it by direct system calls, at the
lowest priority (nice 19) so that it takes no time from the others, for ${seconds} s in three equal bursts, and one before
them that is not timed, since it has the code of all compiled. It has at most
200 connections at a time waiting to be accepted, since the system's queue is nobody's to share out. Fifty honest
clients, in a process of their own at normal priority, each keep one connection that asks every 25 ms, and open another
every 100 ms.

- **attempts, served**: of the crowd. Who is refused comes back at once, so that there are more attempts with limits.
- **honest served**: of requests by open connections, and of new connections where that differs. None of these clients
  reaches its own limit. To reach: 99.9 % of both.
- **established**, **new**: until the answer, of those that were served. To reach, by open connections: at most
  ${MOST_MILLISECONDS} ms at the 99th percentile.
- **peak**: the most of one client at once, by the answers that the crowd has had; where it asks for none, by the
  system's table of sockets. And all that were open at once, by the limiter's own count. To reach: ${MAX_PER_CLIENT} of one.
- **leaked**: slots, and sockets of the server's process, that are left when all have gone. To reach: none.
- **memory**: resident, before, and after each burst, with a collection of garbage each time.
- **survived**: the process lives, and serves all who come afterwards.

\`limitRequests()\` limits requests, not connections, so that against its servers requests are held where others hold
connections; \`reset flood\`, \`idle\` and \`descriptors\` are out of its reach and there to show what it does then.

${Object.entries(ATTACKS).map(([name, { about }]) => `- \`${name}\`: ${about}`).join("\n")}`;
}
