/**
 * The option `networks`: rules for networks.
 *
 * @module
 */

import { type Cidr, formatCidr, parseCidr } from "./cidr.ts";
import { type ClientKey, clientName, prefixKey } from "./client_key.ts";
import { PrefixMap } from "./prefix_map.ts";
import { checkRate, type CompiledRate, compileRate, type Rate } from "./rate.ts";
import { checkCount, checkOptions, checkPlainObject, checkPrefix, formatValue, typeError } from "./validate.ts";

/** The rule of a network. It needs one option at least. What it leaves out is as for everyone. */
export interface NetworkRule {
  /**
   * Maximum number of open connections per client of the network: a whole number, or `Infinity` for no limit. With
   * `Infinity`, the clients still count towards aggregates and the total. `0` blocks the network.
   *
   * @default {@linkcode LimitsOptions.maxPerClient}
   */
  readonly maxPerClient?: number;
  /**
   * The rate of each client of the network. `false` is none.
   *
   * @default {@linkcode LimitsOptions.rate}
   */
  readonly rate?: Rate | false;
  /**
   * Prefix length of a client of an IPv6 network: from the network's own, and longer than those of aggregates, to 128.
   *
   * @default {@linkcode LimitsOptions.ipv6Prefix}
   */
  readonly ipv6Prefix?: number;
  /**
   * Whether the network's connections are counted and not refused for any other limit: not for their client, an aggregate,
   * the total, a fair share or a rate. `max` bounds them. Not together with `maxPerClient` or `rate`.
   *
   * @default {false}
   */
  readonly exempt?: boolean;
  /**
   * Maximum number of open connections of an exempt network, all clients together: a whole number. Beyond, they are
   * refused with the reason `"aggregate"`. Keep `maxTotal` + `max` below the file descriptors.
   *
   * @default {100}
   */
  readonly max?: number;
}

/** A rule in the form that the limiter reads, with the limits' own values for what it leaves out. */
export interface CompiledRule {
  readonly maxPerClient: number;
  readonly rate: CompiledRate | undefined;
  /** The prefix length of its clients. */
  readonly clientPrefix: number;
  /** Whether its own limit is 0. */
  readonly blocked: boolean;
  /** The most that may be open, if it is exempt. */
  readonly exempt: number | undefined;
  readonly network: ClientKey;
}

/** What holds for clients without a rule. */
export interface RuleDefaults {
  readonly maxPerClient: number;
  readonly rate: CompiledRate | undefined;
  readonly ipv4Prefix: number;
  readonly ipv6Prefix: number;
  /** The longest prefix length of an IPv6 aggregate. -1 if there is none. */
  readonly longestAggregate: number;
}

/** The canonical rules, and how to find the one for an address. */
export type CompiledNetworks = readonly [
  rules: Readonly<Record<string, NetworkRule>>,
  table: PrefixMap<CompiledRule> | undefined,
];

/**
 * Validates rules and applies the defaults.
 *
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a number out of range, an invalid network, or a duplicate network.
 */
export function compileNetworks(networks: unknown, defaults: RuleDefaults): CompiledNetworks {
  checkPlainObject("networks", networks);
  const copies: Record<string, NetworkRule> = {};
  const rules: [Cidr, CompiledRule][] = [];
  for (const [text, rule] of Object.entries(networks)) {
    const { network, canonical } = checkNetwork(text);
    const name = `networks[${JSON.stringify(text)}]`;
    const copy = copyRule(name, rule, network, defaults);
    if (Object.hasOwn(copies, canonical)) throw new RangeError(`${name} names a network that has a rule already`);
    copies[canonical] = Object.freeze(copy);
    rules.push([network, compileRule(copy, network, defaults)]);
  }
  return [Object.freeze(copies), rules.length === 0 ? undefined : new PrefixMap(rules)];
}

const KNOWN = ["maxPerClient", "rate", "ipv6Prefix", "exempt", "max"];

function copyRule(
  name: string,
  rule: unknown,
  { address, prefix }: Cidr,
  { longestAggregate }: RuleDefaults,
): NetworkRule {
  if (typeof rule === "number") {
    throw new TypeError(`${name} must be a plain object, got ${rule}; write { maxPerClient: ${rule} }`);
  }
  checkOptions(name, `option in ${name}`, rule, KNOWN);
  const { maxPerClient, rate, ipv6Prefix, exempt, max } = rule;
  if (exempt !== undefined && typeof exempt !== "boolean") throw typeError(`${name}.exempt`, "a boolean", exempt);
  if (max !== undefined && !exempt) {
    throw new TypeError(`option "max" in ${name} must be beside exempt: true only, got ${formatValue(max)}`);
  }
  if (maxPerClient !== undefined || (rate ?? ipv6Prefix ?? exempt) === undefined) {
    checkCount(`${name}.maxPerClient`, maxPerClient);
  }
  for (const option of ["maxPerClient", "rate"]) {
    if (exempt && rule[option] !== undefined) {
      throw new TypeError(`${name}.${option} must not be beside exempt: true, got ${formatValue(rule[option])}`);
    }
  }
  if (max !== undefined) {
    checkCount(`${name}.max`, max);
    if (max === Infinity) throw new RangeError(`${name}.max must be finite, got Infinity`);
  }
  if (ipv6Prefix !== undefined) {
    checkPrefix(`${name}.ipv6Prefix`, ipv6Prefix, 128);
    const least = Math.max(prefix, longestAggregate + 1);
    if (typeof address === "number") {
      throw new RangeError(`${name}.ipv6Prefix must be of an IPv6 network, got ${ipv6Prefix}`);
    }
    if (ipv6Prefix < least) {
      throw new RangeError(
        `${name}.ipv6Prefix must be ${least} or more, for its network and the aggregates, got ${ipv6Prefix}`,
      );
    }
  }
  return {
    ...(maxPerClient !== undefined && { maxPerClient }),
    ...(rate !== undefined && { rate: checkRate(`${name}.rate`, rate) }),
    ...(ipv6Prefix !== undefined && { ipv6Prefix }),
    ...(exempt !== undefined && { exempt }),
    ...(exempt === true && { max: max ?? 100 }),
  };
}

function compileRule(rule: NetworkRule, { address, prefix }: Cidr, defaults: RuleDefaults): CompiledRule {
  const { maxPerClient = defaults.maxPerClient, rate, exempt, max } = rule;
  const length = typeof address === "number" ? defaults.ipv4Prefix : rule.ipv6Prefix ?? defaults.ipv6Prefix;
  return {
    maxPerClient: exempt ? Infinity : maxPerClient,
    rate: rate === undefined ? defaults.rate : compileRate(rate as Required<Rate> | false),
    // A network with a longer prefix than a client's is one client.
    clientPrefix: Math.max(length, prefix),
    blocked: rule.maxPerClient === 0,
    exempt: exempt ? max : undefined,
    network: prefixKey(address, prefix),
  };
}

function checkNetwork(text: string): { network: Cidr; canonical: string } {
  const network = parseCidr(text);
  // A rule applies to an address on every interface, so its network has no zone id.
  if (network === undefined || text.includes("%")) {
    throw new RangeError(
      `networks must be named by CIDR, such as "192.0.2.0/24", or by address, got ${formatValue(text)}`,
    );
  }
  const canonical = clientName(prefixKey(network.address, network.prefix));
  if (text !== canonical && formatCidr(network) !== canonical) {
    throw new RangeError(
      `networks[${formatValue(text)}] has bits set after its prefix; write ${formatValue(canonical)}`,
    );
  }
  return { network, canonical };
}
