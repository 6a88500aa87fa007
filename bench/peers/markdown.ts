/**
 * The report that is kept beside the figures.
 *
 * @module
 */

import { markdownTable } from "markdown-table";
import { describe, type Machine } from "../lib/machine.ts";
import type { Figure, Growth } from "./figures.ts";
import { type Results, type Section, type SectionName, SECTIONS } from "./results.ts";
import { distinct, showFigure, showNumber } from "./text.ts";

/** More columns than these are two tables. */
const COLUMNS = 5;

const TITLES: Readonly<Record<SectionName, string>> = {
  counting: "Counting in process",
  growth: "How the limits weigh",
  sockets: "Over sockets",
  connections: "With many connections open",
};

const NOTES: Readonly<Record<SectionName, string>> = {
  counting: `CPU time of all threads, with the collection of garbage, to admit one connection and to end it again
("accept + release"), and to refuse one ("refuse"), while each client holds a connection. Ratios are to the hand-written
map with addresses of the same family. Each subject runs on Deno in a process of its own, one round after the other.
Every connection brings its address as a new string, as from the runtimes; clients leave in another order than they came;
and a memory barrier stands between two connections, as system calls do in a server, since a bare loop has the cache misses
of several connections under way at once.

- **hand-written map**: a \`Map\` from the address's text to a count. For it, every address of an IPv6 subscriber is a client
  of its own, of which one /64 has 2^64, and it takes whatever text it is given.
- **async-sema**: a map of semaphores, by \`tryAcquire()\` and \`release()\`. A semaphore does not tell whether somebody holds
  it, so that it can be dropped only by who counts beside it, and here they stay: "bytes per client that has gone".
  (\`p-limit\` fits worse: it takes functions, and lets those wait that find no room, instead of refusing them.)
- **rate-limiter-flexible**: \`RateLimiterMemory\`, by \`await consume()\` and \`await reward()\`, with \`duration: 0\`, since with
  any other it forgets open connections after that time. It counts refused attempts as well, so that each takes a
  \`reward()\` too. A client's record stays for ever: another connection may come while one awaits its deletion.`,
  growth:
    `10,000 clients, scattered over the addresses of their family, and so are the rules. The hand-written maps count the
beginnings of the addresses' texts.`,
  sockets:
    `A flood from 200 addresses of the loopback interface, on a core of its own: 64 connections in flight where CPU time and
connections per second are measured, 1,000 where an established client has bytes echoed meanwhile. CPU time is that of all
processes that serve. Where connections are refused, each address is at its limit; a server without limits closes them
at once. Ratios are to the same server without limits; HAProxy (\`src_conn_cur\`) and nginx (\`limit_conn\`), one thread each,
stand before a bare \`Deno.listen\`, and so does their ratio's reference.`,
  connections:
    `Connections are held by clients of their own while others are admitted and closed, up to the number of descriptors that
a process may have, or to 50,000.`,
};

/** The whole report. */
export function markdown(results: Results): string {
  const parts = SECTIONS.flatMap((name) => {
    const section = results[name];
    return section === undefined ? [] : [sectionOf(name, section, latest(results))];
  });
  return `# Side by side

What this library costs beside what one would take in its place, and how that grows. Medians of several rounds, in which
all were measured next to each other; in brackets the median of the rounds' ratios to a reference, which each section names.

![connlimit beside what people use instead](peers.svg)

${describe(latest(results))}

Measure it again, in some eight minutes, on Linux, with 4 GB of free memory, and with HAProxy and nginx where they are
installed: \`deno task bench:peers\`. Draw it again: \`deno task bench:peers --draw\`.

${parts.join("\n\n")}
`;
}

function latest(results: Results): Machine {
  const machines = Object.values(results).map(({ machine }) => machine);
  return machines.toSorted((one, other) => one.date < other.date ? 1 : -1)[0]!;
}

function sectionOf(name: SectionName, { machine, figures, growths }: Section, usual: Machine): string {
  const blocks = [`## ${TITLES[name]}`, NOTES[name]];
  if (JSON.stringify(machine) !== JSON.stringify(usual)) blocks.push(`Measured at another time: ${describe(machine)}`);
  if (figures.length > 0) blocks.push(...figureTables(figures));
  for (const [chart, growth] of Object.entries(growths)) {
    blocks.push(`### ${growth.title}`, `![${growth.title}](growth_${chart}.svg)`, growthTable(growth));
  }
  return blocks.filter((block) => block !== "").join("\n\n");
}

/** Works and those who do them; whichever are fewer make the columns. */
function figureTables(figures: readonly Figure[]): string[] {
  const works = distinct(figures.map(({ work }) => work));
  const names = distinct(figures.map(({ by }) => by));
  const find = (work: string, by: string) => figures.find((figure) => figure.work === work && figure.by === by);
  const cell = (work: string, by: string) => {
    const figure = find(work, by);
    return figure === undefined ? "" : showFigure(figure);
  };
  if (names.length <= works.length) return tables(names, works, (name, work) => cell(work, name));
  return tables(works, names, cell);
}

function growthTable({ x, y, series }: Growth): string {
  const xs = distinct(Object.values(series).flatMap((points) => points.map(([x]) => x)));
  const values = new Map(Object.entries(series).map(([name, points]) => [name, new Map(points)]));
  const cell = (name: string, row: string) => {
    const value = values.get(name)!.get(Number(row));
    return value === undefined ? "" : showNumber(value);
  };
  return `${y}, by ${x}:\n\n${table(Object.keys(series), xs.map(String), cell, (row) => showNumber(Number(row)))}`;
}

function tables(columns: string[], rows: string[], cell: (column: string, row: string) => string): string[] {
  const parts: string[] = [];
  for (let i = 0; i < columns.length; i += COLUMNS) parts.push(table(columns.slice(i, i + COLUMNS), rows, cell));
  return parts;
}

function table(
  columns: readonly string[],
  rows: readonly string[],
  cell: (column: string, row: string) => string,
  head = (row: string) => row,
): string {
  const lines = rows.map((row) => [head(row), ...columns.map((column) => cell(column, row))]);
  return markdownTable([["", ...columns], ...lines], { align: ["", ...columns.map(() => "right")] });
}
