/**
 * What happened, and whether it is what should have happened.
 *
 * @module
 */

import type { Client } from "./crowd.ts";
import type { Scene } from "./table.ts";

/** What is not as it should be, a line each. */
export function findFaults({ limiter, server, clients }: Scene): string[] {
  const faults: string[] = [];
  const { open, admitted, refused } = limiter.stats();
  let admittedToClients = 0;
  let refusedToClients = 0;

  for (const { address, name, kind, right, wrong } of clients) {
    const tally = server.tallyOf(address);
    admittedToClients += tally.admitted;
    refusedToClients += tally.refused;
    if (tally.aboveLimit > 0) faults.push(`${name}: admitted above the limit: ${tally.aboveLimit}`);
    if (wrong > 0) faults.push(`${name}: echoes wrong or missing: ${wrong}`);
    if (kind === "polite" && right === 0) faults.push(`${name}: never served`);
    if (kind === "polite" && tally.refused > 0) {
      faults.push(`${name}: refused, though it kept to the limit: ${tally.refused}`);
    }
    if (kind === "greedy" && tally.refused === 0) faults.push(`${name}: never refused`);
  }
  if (open !== 0) faults.push(`slots not given back: ${open}`);
  if (admitted !== admittedToClients) faults.push(`admitted: ${admitted}, but the clients got ${admittedToClients}`);
  if (refused !== refusedToClients) faults.push(`refused: ${refused}, but onRefused was told of ${refusedToClients}`);
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

function remark({ address, kind, right, wrong }: Client, { server }: Scene): string {
  switch (kind) {
    case "greedy":
      return server.tallyOf(address).aboveLimit === 0 ? "kept to its limit" : "above its limit";
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
