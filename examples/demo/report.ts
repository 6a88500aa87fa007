/**
 * What happened, and whether it is what should have happened.
 *
 * @module
 */

import type { Client } from "./crowd.ts";
import type { Scene } from "./table.ts";

/** What is not as it should be, a sentence each. */
export function findFaults({ limiter, server, clients }: Scene): string[] {
  const faults: string[] = [];
  const { open, admitted, refused } = limiter.stats();
  let admittedToClients = 0;
  let refusedToClients = 0;

  for (const { address, name, kind, right, wrong } of clients) {
    const tally = server.tallyOf(address);
    admittedToClients += tally.admitted;
    refusedToClients += tally.refused;
    if (tally.aboveLimit > 0) faults.push(`${name} was admitted above its limit, ${tally.aboveLimit} times.`);
    if (wrong > 0) faults.push(`${name} missed an echo or got a wrong one, ${wrong} times.`);
    if (kind === "polite" && right === 0) faults.push(`${name} was never served.`);
    if (kind === "polite" && tally.refused > 0) faults.push(`${name} was refused, ${tally.refused} times.`);
    if (kind === "greedy" && tally.refused === 0) faults.push(`${name} was never refused.`);
  }
  if (open !== 0) faults.push(`${open} slots were not given back.`);
  if (admitted !== admittedToClients) faults.push(`${admittedToClients} of ${admitted} admitted were seen.`);
  if (refused !== refusedToClients) faults.push(`${refusedToClients} of ${refused} refused were reported.`);
  return faults;
}

/** Everything in the end, for people to read. */
export function summary(scene: Scene, faults: readonly string[]): string {
  const { open, admitted, refused, peak } = scene.limiter.stats();
  return [
    "",
    row("Summary", "", "tried", "admitted", "refused", "peak", ""),
    ...scene.clients.map((client) => clientRow(client, scene)),
    "",
    `  Total: open ${open}, admitted ${admitted}, refused ${refused}, peak ${peak}`,
    "",
    ...verdict(faults),
  ].join("\n");
}

function clientRow(client: Client, scene: Scene): string {
  const { admitted, refused, peak } = scene.server.tallyOf(client.address);
  return row(client.address, client.name, client.tried, admitted, refused, peak, remark(client, scene));
}

function remark({ kind, right, wrong }: Client, { server }: Scene): string {
  switch (kind) {
    case "greedy":
      return "kept to its limit";
    case "polite":
      return `echoes: ${right} right, ${wrong} wrong`;
    case "hasty":
      return `gone before accept: ${server.acceptErrors}`;
    case "idle":
      return `closed by shutdown: ${server.closedByShutdown}`;
  }
}

function row(address: string, name: string, ...[tried, admitted, refused, peak, remark]: (string | number)[]): string {
  return "  " + address.padEnd(11) + name.padEnd(8) + `${tried}`.padStart(6) + `${admitted}`.padStart(10) +
    `${refused}`.padStart(9) + `${peak}`.padStart(6) + `   ${remark}`.trimEnd();
}

function verdict(faults: readonly string[]): string[] {
  if (faults.length > 0) return ["Something is off:", ...faults.map((fault) => `  - ${fault}`)];
  return [
    "All is well: nobody was ever admitted above the limit, every polite client was",
    "served, every echo was right, and every slot was given back.",
  ];
}
