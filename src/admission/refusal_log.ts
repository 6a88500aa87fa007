/**
 * The lines of `logRefusals()`: what they say, and how.
 *
 * @module
 */

import { cidrOf, type ClientKey, clientName, prefixKey, UNIX_CLIENT } from "../core/client_key.ts";
import type { RefusalReason } from "../core/reasons.ts";
import { printable } from "./printable.ts";

/** What a line tells: of the first refusal of a client in a period, or of the refusals without a line of their own. */
export type RefusalLogEntry = RefusedEntry | RefusedMoreEntry;

/** A client has been refused, for the first time in this period. */
export interface RefusedEntry {
  /** Tells the entries apart. */
  readonly event: "refused";
  /** The option `name`, escaped and cut. Absent without it. */
  readonly name?: string;
  /**
   * The client, escaped and cut: an address, a network, or `"key \"alice\""` for a client with a key. Absent with
   * `address: "none"`, for keys with `address: "network"`, and if the peer has no address.
   */
  readonly client?: string;
  /** Why it was refused. */
  readonly reason: RefusalReason;
  /** `true` if it was admitted nonetheless, in a dry run. Absent otherwise. */
  readonly dryRun?: boolean;
}

/** The refusals of a period that have no line of their own. */
export interface RefusedMoreEntry {
  /** Tells the entries apart. */
  readonly event: "refused more";
  /** The option `name`, escaped and cut. Absent without it. */
  readonly name?: string;
  /** The number of refusals. */
  readonly refused: number;
  /** The number of clients among them, at least. */
  readonly clients: number;
  /** Whether there were more clients than are counted. */
  readonly moreClients: boolean;
  /** The client that was refused most, and how often, at least. */
  readonly most: {
    /** As in {@linkcode RefusedEntry.client}. */
    readonly client?: string;
    /** Its refusals, at least. */
    readonly refused: number;
  };
  /** The refusals by reason. Reasons without one are absent. */
  readonly refusedBy: Readonly<Partial<Record<RefusalReason, number>>>;
  /** The seconds in which they happened. */
  readonly seconds: number;
}

/** How much of a client's address to write. */
export type AddressDetail = "full" | "network" | "none";

/** The key under which connections without a client are counted. It is no client's. */
export const NOBODY: ClientKey = "";

/** The prefix lengths of `address: "network"`. Longer prefixes can be of one household. */
const NETWORK = { ipv4: 24, ipv6: 48 } as const;

/** What a line calls a client. */
export function clientText(key: ClientKey, detail: AddressDetail): string | undefined {
  if (detail === "none" || key === NOBODY) return undefined;
  const network = cidrOf(key);
  if (key === UNIX_CLIENT) return clientName(key);
  // A key is quoted: it may look like an address, or like the rest of a line.
  if (network === undefined) return detail === "network" ? undefined : `key "${printable(clientName(key))}"`;
  const { address, prefix } = network;
  const most = detail === "full" ? 128 : typeof address === "number" ? NETWORK.ipv4 : NETWORK.ipv6;
  return printable(clientName(prefix > most ? prefixKey(address, most) : key), 128);
}

/** An entry as a line for people. */
export function textOf(entry: RefusalLogEntry): string {
  const start = `connlimit${entry.name === undefined ? "" : ` ${entry.name}`}: refused`;
  if (entry.event === "refused") {
    return `${start} ${entry.client ?? "a client"} (${entry.reason}${entry.dryRun ? ", dry run" : ""})`;
  }
  const { refused, clients, moreClients, most, seconds } = entry;
  const from = `${moreClients ? "more than " : ""}${plural(clients, "client")} in ${seconds} s`;
  return `${start} ${number(refused)} more from ${from}, most from ${most.client ?? "one"}: ${number(most.refused)}`;
}

function plural(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function number(count: number): string {
  return count.toLocaleString("en-US");
}
