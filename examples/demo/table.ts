/**
 * What the live display shows, as text.
 *
 * @module
 */

import type { Limiter } from "@connlimit/connlimit";
import type { Client } from "./crowd.ts";
import type { Server } from "./server.ts";

/** All there is to show. */
export interface Scene {
  readonly limiter: Limiter;
  readonly server: Server;
  readonly clients: readonly Client[];
}

/** Something that happened, and when. */
export interface News {
  readonly seconds: number;
  readonly text: string;
}

/** The size of {@linkcode frame}. */
export const FRAME_WIDTH = 78;
export const FRAME_HEIGHT = 17;

/** As many as the highest limit in the demo. */
const CELLS = 12;

/** As many announcements as there are. */
const NEWS = 4;

const green = color(32);
const yellow = color(33);
const dim = color(2);
const bold = color(1);

/** What this is, in one line. */
export function title({ clients }: Scene): string {
  return `connlimit: a limited echo server and ${clients.length} clients`;
}

/** The whole table, always of the same height. */
export function frame(scene: Scene, seconds: number, news: readonly News[]): string[] {
  const { open, admitted, refused } = scene.limiter.stats();
  return [
    bold(title(scene)) + time(seconds).padStart(FRAME_WIDTH - title(scene).length),
    "",
    dim(row("client", "", "slots".padEnd(2 * CELLS), "open", "admitted", "refused")),
    ...scene.clients.map((client) => clientRow(client, scene)),
    row("total", "", " ".repeat(2 * CELLS), `${open}`, admitted, refused),
    "",
    dim(`  Reset before they could be accepted: ${scene.server.acceptErrors}`),
    "",
    ...Array.from({ length: NEWS }, (_, index) => news[index] ? newsLine(news[index]) : ""),
  ];
}

function clientRow({ address, name }: Client, { limiter, server }: Scene): string {
  const { admitted, refused } = server.tallyOf(address);
  const open = limiter.openFor(address);
  const limit = limiter.limits.maxPerClient;
  return row(address, name, bar(open, limit), `${open} of ${limit}`, admitted, refused);
}

function row(address: string, name: string, bar: string, open: string, admitted: unknown, refused: unknown): string {
  return "  " + address.padEnd(11) + name.padEnd(10) + bar + open.padStart(9) + `${admitted}`.padStart(11) +
    `${refused}`.padStart(10);
}

/** A square for each open connection, yellow where it is above a lowered limit, and a dot for each free slot. */
function bar(open: number, limit: number): string {
  const within = Math.min(open, limit);
  const above = open - within;
  const free = limit - within;
  return green("■ ".repeat(within)) + yellow("■ ".repeat(above)) + dim("· ".repeat(free)) +
    "  ".repeat(Math.max(0, CELLS - within - above - free));
}

/** Where its text begins. */
export const NEWS_INDENT = 9;

/** An announcement. */
export function newsLine({ seconds, text }: News): string {
  return `${time(seconds)}  ${text}`;
}

/** The scene in one line. */
export function statusLine({ limiter, clients }: Scene, seconds: number): string {
  const { admitted, refused } = limiter.stats();
  const each = clients.map(({ name, address }) => `${name} ${limiter.openFor(address)}`).join(", ");
  return `${time(seconds)}  open: ${each}; admitted ${admitted}, refused ${refused}`;
}

function time(seconds: number): string {
  return `${seconds.toFixed(1)} s`.padStart(7);
}

function color(code: number): (text: string) => string {
  return (text) => Deno.noColor || text === "" ? text : `\x1b[${code}m${text}\x1b[0m`;
}
