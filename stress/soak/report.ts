/**
 * The report of a soak, in Markdown.
 *
 * @module
 */

import { markdownTable } from "markdown-table";
import { describe, thisMachine } from "../../bench/lib/machine.ts";
import { MOST } from "./soak_limits.ts";
import type { Soaked } from "./soak.ts";
import { judge, megabytes, seconds } from "./verdicts.ts";

const OUTCOMES = ["served", "refused", "left", "cut", "broken", "stuck", "unconnected"] as const;

/** Writes the report, formatted as the rest of the repository is. */
export async function reportOf(soaks: readonly Soaked[]): Promise<string> {
  const { minutes, seed, rate, bare } = soaks[0]!.options;
  const total = soaks.reduce((sum, { counts }) => sum + visits(counts), 0);
  const perSecond = soaks.reduce((sum, { counts, seconds }) => sum + visits(counts) / seconds, 0);
  const limits = `Each server has a limiter of its own with, at most, ${MOST.maxPerClient} connections of a client, ${
    MOST.aggregates![0]!.max
  } of a /24 and ${MOST.maxTotal} of all; every three seconds, on average, the limits change.`;
  return await formatted(`# Soak

Random mixed traffic for ${minutes} minutes, ${bare ? "without limits" : "at the limits"}, against all servers at once:
exchanges, half-closes, resets, big bodies, slow senders, WebSockets, aborted requests, clients that say nothing or
never read. By \`deno task soak --minutes ${minutes} --seed ${seed} --rate ${rate}${bare ? " --bare" : ""}\`.

${describe(await thisMachine())}

${total} connections, ${perSecond.toFixed(0)} a second. ${bare ? "" : limits} Each minute all clients leave, and memory
is measured when nothing is open any more: medians of several samples, each after a forced collection.

${soaks.map(sectionOf).join("\n")}
In the last table of each: served to the end; refused; ended by the client; ended by the server, which does so to some; not
as it should have been; without an answer for ten seconds; refused before the client knew that it was connected.
`);
}

async function formatted(markdown: string): Promise<string> {
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const deno = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--config", config, "--ext", "md", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = new Response(deno.stdout).text();
  await new Blob([markdown]).stream().pipeTo(deno.stdin);
  return await output;
}

function visits(counts: Soaked["counts"]): number {
  return sum(Object.values(counts).flatMap(({ outcomes }) => Object.values(outcomes)));
}

function sectionOf(soaked: Soaked): string {
  const { runtime, minutes, watches, counts, seconds: duration } = soaked;
  const cpu = (watches.cpu / 10_000 / duration).toFixed(0);
  return `## ${runtime}

${judge(soaked).map(({ condition, holds, detail }) => `- ${sign(holds)} ${condition}: ${detail}.`).join("\n")}

${(visits(counts) / duration).toFixed(0)} visits a second; the servers' process used ${cpu} % of a core.

${memoryTable(minutes)}
${soaked.options.bare ? "" : `${limiterTable(soaked)}\n`}${visitTable(counts)}${complaints(counts)}`;
}

function sign(holds: boolean | undefined): string {
  return holds === undefined ? "Not judged:" : holds ? "Holds:" : "**FAILS**:";
}

function memoryTable(minutes: Soaked["minutes"]): string {
  const objects = minutes.some(({ memory }) => memory.objects !== undefined);
  return table(
    ["minute", "MB resident", "MB of heap", ...objects ? ["objects"] : [], "most MB under way", "at rest after"],
    minutes.map(({ minute, memory, rssUnderWay, rested }) => [
      `${minute}`,
      megabytes(memory.rss),
      megabytes(memory.heap),
      ...objects ? [`${memory.objects}`] : [],
      megabytes(rssUnderWay),
      seconds(rested),
    ]),
  );
}

function limiterTable({ watches }: Soaked): string {
  return table(
    ["server", "admitted", "client", "aggregate", "total", "blocked", "no address", "peak", "full", "changes"],
    Object.entries(watches.limiters).map(([name, { admitted, refusedBy, peak, fill, changes }]) => {
      const all = admitted + sum(Object.values(refusedBy));
      return [
        name,
        share(admitted, all),
        ...(["client", "aggregate", "total", "blocked", "unknown-address"] as const)
          .map((reason) => share(refusedBy[reason], all)),
        `${peak}`,
        share(...fill),
        `${changes}`,
      ];
    }),
  );
}

function visitTable(counts: Soaked["counts"]): string {
  const rows = Object.entries(counts).map(([name, { outcomes }]) => {
    const all = sum(Object.values(outcomes));
    return [name, `${all}`, ...OUTCOMES.map((outcome) => share(outcomes[outcome] ?? 0, all))];
  });
  return table(["server", "visits", ...OUTCOMES], rows);
}

function complaints(counts: Soaked["counts"]): string {
  const lines = Object.entries(counts).flatMap(([name, { complaints }]) =>
    complaints.map((complaint) => `- ${name}: ${complaint.replaceAll("\n", " ")}`)
  );
  return lines.length === 0 ? "" : `\nComplaints:\n\n${lines.join("\n")}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return `${markdownTable([head, ...rows], { align: head.map((_, i) => i === 0 ? "" : "right") })}\n`;
}

function share(part: number, whole: number): string {
  return whole === 0 ? "–" : `${(part / whole * 100).toFixed(part > 0 && part / whole < 0.01 ? 2 : 0)} %`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
