/**
 * What came of the attacks, against what must hold; as text for the terminal and as Markdown.
 *
 * @module
 */

import { describe, thisMachine } from "../machine.ts";
import { quantile } from "../statistics.ts";
import { type AttackName, ATTACKS, MAX_PER_CLIENT, type Mode } from "./attacks.ts";
import { reasonFor } from "./reasons.ts";
import type { Attempts } from "./polite.ts";
import type { Outcome } from "./round.ts";
import { type Kind, SERVERS } from "./servers.ts";

/** One server under one attack. */
export interface Row {
  readonly server: string;
  readonly mode: Mode;
  readonly attack: AttackName;
  readonly outcome: Outcome;
}

const LEAST_SERVED = 0.999;
/** Until an open connection is answered, at the 99th percentile. */
export const MOST_MILLISECONDS = 5;

/** The figures that have to reach something. */
export type Figure = "served" | "established" | "peak" | "leaked" | "survived";

/** Those that a limited server must not miss. */
const HARD: readonly Figure[] = ["served", "peak", "leaked", "survived"];

interface Shown {
  readonly text: string;
  readonly reached: boolean;
}

function share({ attempts, served }: Attempts): number {
  return attempts === 0 ? 0 : served / attempts;
}

function percent(share: number): string {
  // Rounded down: 100 % is all.
  return `${Math.floor(share * 10_000) / 100} %`;
}

const milliseconds = (value: number) => Number.isNaN(value) ? "–" : value.toFixed(value < 10 ? 1 : 0);

function latency({ times }: Pick<Attempts, "times">): string {
  return times.length === 0 ? "–" : `${milliseconds(quantile(times, 0.5))} / ${milliseconds(quantile(times, 0.99))}`;
}

function served({ during: { established, fresh } }: Outcome): Shown {
  const [kept, came] = [share(established), share(fresh)];
  const text = kept === came ? percent(kept) : `${percent(kept)}, new ${percent(came)}`;
  return { text, reached: Math.min(kept, came) >= LEAST_SERVED };
}

/** What the crowd has seen is exact; the kernel also has, for a moment, those that are refused with an answer. */
function peak({ protocol }: Kind, { peakServed, peakHeld, told }: Outcome, limited: boolean): Shown {
  const most = peakServed > 0 || protocol === "requests" ? peakServed : peakHeld;
  // Requests that get no answer are seen by the server alone.
  const text = protocol === "requests" && most === 0 ? "–" : `${most}`;
  return { text: limited ? `${text}, of all ${told.peak}` : text, reached: most <= MAX_PER_CLIENT };
}

function leaked({ slotsLeaked, socketsLeaked, ended }: Outcome): Shown {
  if (ended !== undefined) return { text: "–", reached: true };
  const parts = [];
  if (slotsLeaked > 0) parts.push(`${slotsLeaked} slots`);
  if (socketsLeaked > 0) parts.push(`${socketsLeaked} sockets`);
  return { text: parts.join(", ") || "0", reached: parts.length === 0 };
}

function survived({ ended, complaints, after: { fresh } }: Outcome): Shown {
  if (ended !== undefined) {
    // deno-lint-ignore no-control-regex
    const plain = complaints.replaceAll(/\x1b\[\d*m/g, "");
    const error = /error: (?:Uncaught )?(?:\(in promise\) )?(.*?)(?: \(os error \d+\))?$/im.exec(plain)?.[1];
    return { text: `no: ${error ?? ended}`, reached: false };
  }
  if (fresh.served < fresh.attempts || fresh.attempts === 0) {
    return { text: `no: answers ${percent(share(fresh))} afterwards`, reached: false };
  }
  return { text: "yes", reached: true };
}

/** All that has to reach something. */
function judge({ server, mode, outcome }: Row): Record<Figure, Shown> {
  const { established } = outcome.during;
  return {
    served: served(outcome),
    established: { text: latency(established), reached: quantile(established.times, 0.99) <= MOST_MILLISECONDS },
    peak: peak(SERVERS[server]!, outcome, mode !== "bare"),
    leaked: leaked(outcome),
    survived: survived(outcome),
  };
}

/** What a limited server misses that it must not, without a reason that is known. */
export function faults(row: Row): string[] {
  if (row.mode === "bare") return [];
  const shown = judge(row);
  const wrong = HARD.filter((figure) => !shown[figure].reached && reasonFor(row, figure, []) === undefined)
    .map((figure) => `${figure}: ${shown[figure].text}`);
  // An attack that does not come about proves nothing.
  if (row.attack === "hooks" && row.outcome.told.hooks === 0) wrong.push("no hook was called");
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
  "polite served",
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
  return [HEAD, HEAD.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
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
200 connections at a time waiting to be accepted, since the system's queue is nobody's to share out. Fifty polite
clients, in a process of their own at normal priority, each keep one connection that asks every 25 ms, and open another
every 100 ms.

- **attempts, served**: of the crowd. Who is refused comes back at once, so that there are more attempts with limits.
- **polite served**: of requests by open connections, and of new connections where that differs. None of these clients
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
