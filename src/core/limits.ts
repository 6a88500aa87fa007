/**
 * Limits: the options of a limiter, validated once, with their defaults.
 *
 * @module
 */

import { type Cidr, formatCidr, parseCidr } from "./cidr.ts";
import { clientName, prefixKey } from "./client_key.ts";
import type { AggregateLimit, AggregateLimits } from "./counts.ts";
import { type NetworkRule, PrefixMap } from "./prefix_map.ts";
import { checkCount, checkOptions, checkPlainObject, checkPrefix, formatValue, typeError } from "./validate.ts";

/** A limit on all clients within a wider prefix together. Give a prefix length for IPv4, for IPv6, or for both. */
export interface AggregateOptions {
  /** Prefix length of an IPv4 aggregate, 0 to 31. It must be shorter than {@linkcode LimitsOptions.ipv4Prefix}. */
  readonly ipv4Prefix?: number;
  /** Prefix length of an IPv6 aggregate, 0 to 127. It must be shorter than {@linkcode LimitsOptions.ipv6Prefix}. */
  readonly ipv6Prefix?: number;
  /** Maximum number of open connections per aggregate: a whole number or `Infinity`. */
  readonly max: number;
}

/** The limits of a limiter. Each has a default, which `undefined` also selects. */
export interface LimitsOptions {
  /**
   * Maximum number of open connections per client: a whole number, or `Infinity` for no limit. `0` refuses every
   * client.
   *
   * All users behind one NAT or proxy share an address and are one client. {@linkcode LimitsOptions.networks} can give
   * that address a limit of its own.
   *
   * @default {100} The order of magnitude of the defaults of Consul and Nomad.
   */
  readonly maxPerClient?: number;
  /**
   * Maximum number of open connections of all clients together: a whole number, or `Infinity` for no limit. Keep it at
   * or below half of the process's limit on file descriptors (`ulimit -n`). A refused connection also has a file
   * descriptor until it is closed.
   *
   * @default {Infinity}
   */
  readonly maxTotal?: number;
  /**
   * Prefix length of an IPv4 client, 0 to 32.
   *
   * @default {32}
   */
  readonly ipv4Prefix?: number;
  /**
   * Prefix length of an IPv6 client, 0 to 128. Providers normally assign each subscriber a /64 or a shorter prefix (RFC
   * 6177), and the subscriber can use all of its addresses.
   *
   * @default {64}
   */
  readonly ipv6Prefix?: number;
  /**
   * Limits on wider prefixes, besides the limit per client. A connection needs room at every level. For example
   * `[{ ipv4Prefix: 24, ipv6Prefix: 48, max: 500 }]`. They also apply to clients with a rule in
   * {@linkcode LimitsOptions.networks}.
   *
   * @default {[]}
   */
  readonly aggregates?: readonly AggregateOptions[];
  /**
   * Rules that replace {@linkcode LimitsOptions.maxPerClient} for networks, keyed by CIDR or bare address. Bits after
   * the prefix must be 0. The longest matching prefix wins. A network with a longer prefix than a client's is one
   * client. `limiter.limits` has the keys in canonical form.
   *
   * @default none
   */
  readonly networks?: Readonly<Record<string, NetworkRule>>;
}

/**
 * The current limits: every option with its value, frozen. They are valid options, so one limit can be changed with
 * `limiter.setLimits({ ...limiter.limits, maxPerClient: 20 })`.
 */
export type Limits = Readonly<Required<LimitsOptions>>;

/** Limits in the form that the limiter reads for every connection. */
export interface CompiledLimits {
  readonly limits: Limits;
  readonly networks: PrefixMap | undefined;
  readonly levels: AggregateLimits;
}

const KNOWN_OPTIONS = ["maxPerClient", "maxTotal", "ipv4Prefix", "ipv6Prefix", "aggregates", "networks"];

/**
 * Validates options and applies the defaults.
 *
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a number out of range, an invalid network, or a duplicate network or aggregate.
 */
export function compileLimits(options: LimitsOptions): CompiledLimits {
  checkOptions("limits", "option", options, KNOWN_OPTIONS);
  const { maxPerClient = 100, maxTotal = Infinity, ipv4Prefix = 32, ipv6Prefix = 64, aggregates = [], networks = {} } =
    options;
  checkCount("maxPerClient", maxPerClient);
  checkCount("maxTotal", maxTotal);
  checkPrefix("ipv4Prefix", ipv4Prefix, 32);
  checkPrefix("ipv6Prefix", ipv6Prefix, 128);
  const levels = compileAggregates(aggregates, ipv4Prefix, ipv6Prefix);
  const [rules, table] = compileNetworks(networks);
  const limits = { maxPerClient, maxTotal, ipv4Prefix, ipv6Prefix, aggregates: levels.aggregates, networks: rules };
  return { limits: Object.freeze(limits), networks: table, levels };
}

function compileAggregates(
  aggregates: unknown,
  ipv4Prefix: number,
  ipv6Prefix: number,
): AggregateLimits & { readonly aggregates: readonly AggregateOptions[] } {
  if (!Array.isArray(aggregates)) throw typeError("aggregates", "an array", aggregates);
  const copies = Array.from(aggregates, (aggregate, index) => copyAggregate(`aggregates[${index}]`, aggregate));
  return {
    aggregates: Object.freeze(copies),
    ipv4: aggregateLimits("ipv4Prefix", copies, ipv4Prefix),
    ipv6: aggregateLimits("ipv6Prefix", copies, ipv6Prefix),
  };
}

function copyAggregate(name: string, aggregate: unknown): AggregateOptions {
  checkOptions(name, `option in ${name}`, aggregate, ["ipv4Prefix", "ipv6Prefix", "max"]);
  const { ipv4Prefix, ipv6Prefix, max } = aggregate;
  checkCount(`${name}.max`, max);
  if (ipv4Prefix === undefined && ipv6Prefix === undefined) {
    throw new TypeError(`${name} must have an ipv4Prefix or an ipv6Prefix, got neither`);
  }
  if (ipv4Prefix !== undefined) checkPrefix(`${name}.ipv4Prefix`, ipv4Prefix, 31);
  if (ipv6Prefix !== undefined) checkPrefix(`${name}.ipv6Prefix`, ipv6Prefix, 127);
  return Object.freeze({
    ...(ipv4Prefix !== undefined && { ipv4Prefix }),
    ...(ipv6Prefix !== undefined && { ipv6Prefix }),
    max,
  });
}

/** The aggregate limits of one address family. */
function aggregateLimits(
  family: "ipv4Prefix" | "ipv6Prefix",
  aggregates: readonly AggregateOptions[],
  clientPrefix: number,
): readonly AggregateLimit[] {
  const limits = new Map<number, AggregateLimit>();
  for (const [index, { [family]: prefix, max }] of aggregates.entries()) {
    if (prefix === undefined) continue;
    const name = `aggregates[${index}].${family}`;
    if (prefix >= clientPrefix) {
      throw new RangeError(`${name} must be shorter than ${family}, ${clientPrefix}, got ${prefix}`);
    }
    if (limits.has(prefix)) throw new RangeError(`${name} must differ from the other aggregates', got ${prefix} again`);
    limits.set(prefix, { prefix, max });
  }
  return [...limits.values()];
}

function compileNetworks(networks: unknown): [Readonly<Record<string, NetworkRule>>, PrefixMap | undefined] {
  checkPlainObject("networks", networks);
  const copies: Record<string, NetworkRule> = {};
  const rules: [Cidr, NetworkRule][] = [];
  for (const [text, rule] of Object.entries(networks)) {
    const { network, canonical } = checkNetwork(text);
    const name = `networks[${JSON.stringify(text)}]`;
    checkOptions(name, `option in ${name}`, rule, ["maxPerClient"]);
    const { maxPerClient } = rule;
    checkCount(`${name}.maxPerClient`, maxPerClient);
    if (Object.hasOwn(copies, canonical)) throw new RangeError(`${name} names a network that has a rule already`);
    copies[canonical] = Object.freeze({ maxPerClient });
    rules.push([network, { maxPerClient }]);
  }
  return [Object.freeze(copies), rules.length === 0 ? undefined : new PrefixMap(rules)];
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
