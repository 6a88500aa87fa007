/**
 * Times refusals at a gate, with nobody watching and with a ranking and a log, in a process of its own.
 *
 *   deno run -A bench/micro/seeing_program.ts
 *
 * Prints {@linkcode SeeingTimes} as JSON.
 *
 * @module
 */

import { Limiter, logRefusals, type Peer, watchRefusals } from "../../mod.ts";
import { createGate } from "../../src/admission/gate.ts";
import type { Port } from "../../src/admission/port.ts";
import { printLine } from "../lib/commands.ts";
import { median } from "../lib/statistics.ts";
import { ADDRESSES, CLIENTS } from "./core_work.ts";

/** Nanoseconds for a refusal, by who is refused and who watches. */
export type SeeingTimes = Readonly<Record<SeeingWork, number>>;
export type SeeingWork = `${"one" | "many" | "new"}${"" | ", watched"}`;

/** An adapter that only closes. */
class ClosingPort implements Port<{ readonly remoteAddress: string }, void> {
  closed = 0;
  peerOf(conn: Peer): Peer {
    return conn;
  }
  present(conn: unknown): unknown {
    return conn;
  }
  admit(): void {}
  drop(): void {}
  refuse(): void {
    this.closed++;
  }
}

type Offer = (conn: { readonly remoteAddress: string }) => unknown;

const conns = ADDRESSES.IPv4.map((remoteAddress) => ({ remoteAddress }));

/** Every refusal is of the same client, of one of 1,000, or of one of 10,000, which are more than are kept. */
const WHO: Readonly<Record<"one" | "many" | "new", (offer: Offer) => void>> = {
  one(offer) {
    for (let i = 0; i < CLIENTS; i++) offer(conns[0]!);
  },
  many(offer) {
    for (let i = 0; i < CLIENTS; i++) offer(conns[i % 1_000]!);
  },
  new(offer) {
    for (let i = 0; i < CLIENTS; i++) offer(conns[i]!);
  },
};

const plain = new Limiter({ maxPerClient: 0 });
const seen = new Limiter({ maxPerClient: 0 });
using _ = watchRefusals(seen);
using onRefused = logRefusals({ logger: { warn() {} } });
const offers: [string, Offer][] = [
  ["", createGate(new ClosingPort(), plain, {})],
  [", watched", createGate(new ClosingPort(), seen, { onRefused })],
];

/** Passes of both in turn, so that both meet the same disturbances. The first ones are for the compiler. */
const [WARM_UP, PASSES] = [40, 100];
const times: Record<string, number> = {};
for (const [who, refuse] of Object.entries(WHO)) {
  const passes = offers.map((): number[] => []);
  for (let pass = 0; pass < WARM_UP + PASSES; pass++) {
    for (const [at, [, offer]] of offers.entries()) {
      const before = performance.now();
      refuse(offer);
      if (pass >= WARM_UP) passes[at]!.push(performance.now() - before);
    }
  }
  for (const [at, [watched]] of offers.entries()) times[`${who}${watched}`] = median(passes[at]!) * 1e6 / CLIENTS;
}
printLine(times as SeeingTimes);
