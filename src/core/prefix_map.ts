/**
 * Rules by network, for finding the one that holds for an address.
 *
 * @module
 */

import type { Address } from "./address.ts";
import type { Cidr } from "./cidr.ts";

/** What holds for the clients of one network in place of {@linkcode LimitsOptions.maxPerClient}. */
export interface NetworkRule {
  /**
   * Connections that each client of the network may hold open: a whole number, or `Infinity`, with which the network's
   * clients are counted but never refused for their own count. `0` blocks the network.
   */
  readonly maxPerClient: number;
}

/** A rule with the length of the prefix that it was found under. */
export interface MatchedRule extends NetworkRule {
  readonly prefix: number;
}

/** The 32-bit words of an address, unsigned. An IPv4 address has one; the others are 0. */
type Words = readonly [number, number, number, number];

/**
 * Rules by network: the longest matching prefix wins. A look-up is a binary search that allocates nothing: some 17 steps among
 * 100,000 rules, whatever their prefixes.
 */
export class PrefixMap {
  readonly #ipv4: Ranges;
  readonly #ipv6: Ranges;

  /** `rules` holds each network once. */
  constructor(rules: readonly (readonly [Cidr, NetworkRule])[]) {
    const entries = rules.map(([{ address, prefix }, { maxPerClient }]) => ({
      ipv4: typeof address === "number",
      first: wordsOf(address),
      prefix,
      rule: { maxPerClient, prefix },
    }));
    this.#ipv4 = new Ranges(entries.filter(({ ipv4 }) => ipv4));
    this.#ipv6 = new Ranges(entries.filter(({ ipv4 }) => !ipv4));
  }

  /** The rule of the longest prefix that covers the address. Rules speak of addresses in whichever zone. */
  find(address: Address): MatchedRule | undefined {
    if (typeof address === "number") return this.#ipv4.find(address, 0, 0, 0);
    return this.#ipv6.find(address.a >>> 0, address.b >>> 0, address.c >>> 0, address.d >>> 0);
  }
}

function wordsOf(address: Address): Words {
  if (typeof address === "number") return [address, 0, 0, 0];
  return [address.a >>> 0, address.b >>> 0, address.c >>> 0, address.d >>> 0];
}

interface Entry {
  readonly first: Words;
  readonly prefix: number;
  readonly rule: MatchedRule;
}

/** The addresses of one family, cut into stretches in each of which one rule holds, or none. */
class Ranges {
  /** The words of each stretch's first address, in ascending order from 0. */
  readonly #starts: Uint32Array;
  /** The rule of each stretch. */
  readonly #rules: readonly (MatchedRule | undefined)[];

  constructor(entries: readonly Entry[]) {
    const starts: Words[] = [[0, 0, 0, 0]];
    const rules: (MatchedRule | undefined)[] = [undefined];
    const begin = (first: Words, rule: MatchedRule | undefined) => {
      // A stretch of no address, between a network and another that begins where it ends, or with it.
      if (compare(starts.at(-1)!, first) === 0) rules.pop();
      else starts.push(first);
      rules.push(rule);
    };
    /** The networks around the address that has been reached, the narrowest last, and where each ends. */
    const around: { readonly rule: MatchedRule; readonly end: Words | undefined }[] = [];
    /** Ends the networks that do not reach an address, or all of them. */
    const endBefore = (address: Words | undefined) => {
      for (let top; (top = around.at(-1)) !== undefined;) {
        if (top.end === undefined || address !== undefined && compare(top.end, address) > 0) return;
        around.pop();
        begin(top.end, around.at(-1)?.rule);
      }
    };
    const inOrder = entries.toSorted((one, other) => compare(one.first, other.first) || one.prefix - other.prefix);
    for (const { first, prefix, rule } of inOrder) {
      endBefore(first);
      begin(first, rule);
      around.push({ rule, end: endOf(first, prefix) });
    }
    endBefore(undefined);
    this.#starts = Uint32Array.from(starts.flat());
    this.#rules = rules;
  }

  /** The rule of the last stretch that begins at or before an address. */
  find(a: number, b: number, c: number, d: number): MatchedRule | undefined {
    const starts = this.#starts;
    let low = 1;
    for (let high = this.#rules.length; low < high;) {
      const middle = (low + high) >>> 1;
      const at = 4 * middle;
      const difference = starts[at]! - a || starts[at + 1]! - b || starts[at + 2]! - c || starts[at + 3]! - d;
      if (difference <= 0) low = middle + 1;
      else high = middle;
    }
    return this.#rules[low - 1];
  }
}

function compare(one: Words, other: Words): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2] || one[3] - other[3];
}

/** The address behind the last of a network; `undefined` where that is the last there is. */
function endOf(first: Words, prefix: number): Words | undefined {
  const words: [number, number, number, number] = [...first];
  // One is added at the prefix's last bit and carried on.
  for (let bits = prefix; bits > 0;) {
    const index = (bits - 1) >>> 5;
    const sum = words[index]! + 2 ** (32 * (index + 1) - bits);
    words[index] = sum % 2 ** 32;
    if (sum < 2 ** 32) return words;
    bits = 32 * index;
  }
  return undefined;
}
