/**
 * Rules by network, with longest-prefix match.
 *
 * @module
 */

import type { Address } from "./address.ts";
import type { Cidr } from "./cidr.ts";

/** A rule, with the prefix length of its network. */
export type MatchedRule<R> = R & { readonly prefix: number };

/** The unsigned 32-bit words of an address. IPv4 uses the first; the others are 0. */
type Words = readonly [number, number, number, number];

/**
 * Maps networks to rules. The longest matching prefix wins. A lookup is a binary search that allocates nothing. Among
 * 100,000 rules it takes about 17 steps, independent of their prefix lengths.
 *
 * @typeParam R The rules.
 */
export class PrefixMap<R> {
  readonly #ipv4: Ranges<MatchedRule<R>>;
  readonly #ipv6: Ranges<MatchedRule<R>>;

  /** @param rules Rules by network. No network occurs twice. */
  constructor(rules: readonly (readonly [Cidr, R])[]) {
    const entries = rules.map(([{ address, prefix }, rule]) => ({
      ipv4: typeof address === "number",
      first: wordsOf(address),
      prefix,
      rule: { ...rule, prefix },
    }));
    this.#ipv4 = new Ranges(entries.filter(({ ipv4 }) => ipv4));
    this.#ipv6 = new Ranges(entries.filter(({ ipv4 }) => !ipv4));
  }

  /** Returns the rule of the longest prefix that contains the address. The zone id is ignored. */
  find(address: Address): MatchedRule<R> | undefined {
    if (typeof address === "number") return this.#ipv4.find(address, 0, 0, 0);
    return this.#ipv6.find(address.a >>> 0, address.b >>> 0, address.c >>> 0, address.d >>> 0);
  }
}

function wordsOf(address: Address): Words {
  if (typeof address === "number") return [address, 0, 0, 0];
  return [address.a >>> 0, address.b >>> 0, address.c >>> 0, address.d >>> 0];
}

interface Entry<R> {
  /** The network's first address. */
  readonly first: Words;
  readonly prefix: number;
  readonly rule: R;
}

/** The address space of one family, divided into ranges. Each range has one rule or none. */
class Ranges<R> {
  /** The first address of each range, as four words, in ascending order from 0. */
  readonly #starts: Uint32Array;
  /** The rule of each range. */
  readonly #rules: readonly (R | undefined)[];

  constructor(entries: readonly Entry<R>[]) {
    const starts: Words[] = [[0, 0, 0, 0]];
    const rules: (R | undefined)[] = [undefined];
    const startRange = (start: Words, rule: R | undefined) => {
      // The previous range is empty if two networks start at `start`, or if one ends where another starts.
      if (compare(starts.at(-1)!, start) === 0) rules.pop();
      else starts.push(start);
      rules.push(rule);
    };
    /** The networks that contain the current address, from the widest to the narrowest. */
    const enclosing: { readonly rule: R; readonly end: Words | undefined }[] = [];
    /** Ends the enclosing networks that do not contain `address`, or all of them. */
    const endNetworks = (address: Words | undefined) => {
      for (let top; (top = enclosing.at(-1)) !== undefined;) {
        if (top.end === undefined || address !== undefined && compare(top.end, address) > 0) return;
        enclosing.pop();
        startRange(top.end, enclosing.at(-1)?.rule);
      }
    };
    const sorted = entries.toSorted((one, other) => compare(one.first, other.first) || one.prefix - other.prefix);
    for (const { first, prefix, rule } of sorted) {
      endNetworks(first);
      startRange(first, rule);
      enclosing.push({ rule, end: endOf(first, prefix) });
    }
    endNetworks(undefined);
    this.#starts = Uint32Array.from(starts.flat());
    this.#rules = rules;
  }

  /** Returns the rule of the last range that starts at or before an address. */
  find(a: number, b: number, c: number, d: number): R | undefined {
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

/** The first address after a network, or `undefined` if the network ends the address space. */
function endOf(first: Words, prefix: number): Words | undefined {
  const words: [number, number, number, number] = [...first];
  // Adds 1 at the prefix's last bit, with carry.
  for (let bits = prefix; bits > 0;) {
    const index = (bits - 1) >>> 5;
    const sum = words[index]! + 2 ** (32 * (index + 1) - bits);
    words[index] = sum % 2 ** 32;
    if (sum < 2 ** 32) return words;
    bits = 32 * index;
  }
  return undefined;
}
