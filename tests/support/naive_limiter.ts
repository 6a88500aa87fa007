/**
 * A naive limiter: lists of open connections, looked through from end to end for each question, and a time for each rate.
 *
 * @module
 */

import type { LimitsOptions, NetworkRule, Rate, RefusalReason, Slot } from "@connlimit/connlimit";

/** A connection that the model holds open: with the bits of its address, and how many of them make its client. */
export interface Open {
  readonly family: number;
  readonly bits: string;
  readonly prefix: number;
  /** The exempt network that it counts in. */
  readonly exempt: string | undefined;
  readonly slot: Slot;
}

/** Addresses with their bits as a string of zeros and ones, few enough that they meet, and near to each other. */
export const ADDRESSES: readonly { readonly peer: string; readonly family: number; readonly bits: string }[] = [
  ...[0, 1, 2, 128, 256, 257, 65536].map((offset) => {
    const value = 0xc0000000 + offset;
    const text = [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255].join(".");
    return { peer: text, family: 4, bits: value.toString(2).padStart(32, "0") };
  }),
  ...[[0, 0, 1], [0, 0, 2], [0, 1, 1], [1, 0, 1], [1, 1, 1]].map(([site, subnet, host]) => ({
    peer: `2001:db8:${site}:${subnet}::${host}`,
    family: 6,
    bits: [0x2001, 0xdb8, site!, subnet!, 0, 0, 0, host!].map((group) => group.toString(2).padStart(16, "0")).join(""),
  })),
];

/** The bits of the addresses that the networks of the rules are made of. */
const NETWORK_BITS: Record<string, string> = {
  "192.0.0.0": ADDRESSES[0]!.bits,
  "2001:db8::1": ADDRESSES[7]!.bits,
  "2001:db8::": `${ADDRESSES[7]!.bits.slice(0, 127)}0`,
  "::": "0".repeat(128),
};

/** What a limiter must answer: how many bits make the client, and why it must refuse, if it must. */
export interface Verdict {
  readonly prefix: number;
  readonly exempt: string | undefined;
  readonly reason: RefusalReason | undefined;
}

/** A rate and what it is of. */
type Rated = readonly [name: string, rate: Rate];

export class NaiveLimiter {
  readonly open: Open[] = [];
  /** When the burst of each client and aggregate is whole again, in milliseconds. */
  readonly #whole = new Map<string, number>();
  #options: LimitsOptions = {};

  set options(options: LimitsOptions) {
    this.#options = options;
    const { rate, aggregates = [], networks = {} } = options;
    const rates = [{ rate }, ...aggregates, ...Object.values(networks)];
    if (!rates.some(({ rate }) => rate)) this.#whole.clear();
  }

  get dryRun(): boolean {
    return this.#options.dryRun ?? false;
  }

  /** Judges a connection, and spends of its rates what it must. */
  judge({ family, bits }: (typeof ADDRESSES)[number], now: number): Verdict {
    const { maxPerClient = 100, maxTotal = Infinity, aggregates = [], fairShare = false, rate = false } = this.#options;
    const { ipv4Prefix = 32, ipv6Prefix = 64 } = this.#options;
    const rule = this.#rule(family, bits);
    const prefix = Math.max(family === 4 ? ipv4Prefix : rule?.ipv6Prefix ?? ipv6Prefix, rule?.prefix ?? 0);
    const exempt = rule?.exempt === true ? rule.text : undefined;
    const verdict = (reason?: RefusalReason): Verdict => ({ prefix, exempt, reason });
    if (exempt !== undefined) {
      const there = this.open.filter((conn) => conn.exempt === exempt).length;
      return verdict(there >= (rule!.max ?? 100) ? "aggregate" : undefined);
    }
    const mine = this.countOf(family, bits, prefix);
    if (mine >= (rule?.maxPerClient ?? maxPerClient)) return verdict(rule?.maxPerClient === 0 ? "blocked" : "client");
    const levels = aggregates.flatMap((level) => {
      const length = family === 4 ? level.ipv4Prefix : level.ipv6Prefix;
      return length === undefined ? [] : [{ ...level, length }];
    });
    if (levels.some(({ length, max }) => this.#within(family, bits, length) >= max)) return verdict("aggregate");
    if (this.open.length >= maxTotal) return verdict("total");
    if (fairShare !== false) {
      const { share = 0.125, floor = 4 } = fairShare === true ? {} : fairShare;
      if (mine + 1 > Math.max(floor, share * (maxTotal - this.open.length))) return verdict("fair-share");
    }
    const rated: Rated[] = [];
    const own = rule?.rate ?? rate;
    if (own !== false) rated.push([nameOf(family, bits, prefix), own]);
    for (const { length, rate } of levels) if (rate) rated.push([nameOf(family, bits, length), rate]);
    const due = rated.filter((one) => this.#spent(one, now) + 1000 / one[1].perSecond > spanOf(one[1])).length === 0;
    for (const one of rated) {
      if (!due && !one[1].penalty) continue;
      const after = this.#spent(one, now) + 1000 / one[1].perSecond;
      this.#whole.set(one[0], now + Math.min(after, spanOf(one[1])));
    }
    return verdict(due ? undefined : "rate");
  }

  countOf(family: number, bits: string, prefix: number): number {
    const client = bits.slice(0, prefix);
    return this.open.filter((conn) =>
      conn.family === family && conn.prefix === prefix && conn.bits.slice(0, prefix) === client
    ).length;
  }

  #within(family: number, bits: string, length: number): number {
    return this.open.filter((conn) =>
      conn.family === family && conn.bits.slice(0, length) === bits.slice(0, length) && conn.prefix >= length
    ).length;
  }

  #spent([name, rate]: Rated, now: number): number {
    const spent = Math.min(Math.max(0, (this.#whole.get(name) ?? 0) - now), spanOf(rate));
    // Under another rate, the time of a burst may be shorter. It counts from the first attempt.
    this.#whole.set(name, now + spent);
    return spent;
  }

  #rule(family: number, bits: string): NetworkRule & { readonly prefix: number; readonly text: string } | undefined {
    const rules = Object.entries(this.#options.networks ?? {}).flatMap(([text, rule]) => {
      const [address, length] = text.split("/");
      const prefix = Number(length ?? (address!.includes(":") ? 128 : 32));
      return (address!.includes(":") ? 6 : 4) === family && bits.startsWith(NETWORK_BITS[address!]!.slice(0, prefix))
        ? [{ ...rule, prefix, text }]
        : [];
    });
    return rules.sort((one, other) => other.prefix - one.prefix)[0];
  }
}

function nameOf(family: number, bits: string, length: number): string {
  return `${family} ${length} ${bits.slice(0, length)}`;
}

function spanOf({ perSecond, burst = Math.ceil(perSecond) }: Rate): number {
  return burst * 1000 / perSecond;
}
