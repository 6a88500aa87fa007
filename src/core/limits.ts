/**
 * Limits: the options of a limiter, checked once, with the defaults filled in.
 *
 * @module
 */

import { type Cidr, formatCidr, parseCidr } from "./cidr.ts";
import { clientName, prefixKey } from "./client_key.ts";
import type { AggregateLimit, AggregateLimits } from "./counts.ts";
import { type NetworkRule, PrefixMap } from "./prefix_map.ts";
import { checkCount, checkPlainObject, checkPrefix, formatValue, rejectUnknownKeys } from "./validate.ts";

/** A limit on all the clients of a wider prefix together. Give a prefix for IPv4, for IPv6, or for both. */
export interface AggregateOptions {
  /** Leading bits of an IPv4 address that make the aggregate, 0 to 31; shorter than {@linkcode LimitsOptions.ipv4Prefix}. */
  readonly ipv4Prefix?: number;
  /** Leading bits of an IPv6 address that make the aggregate, 0 to 127; shorter than {@linkcode LimitsOptions.ipv6Prefix}. */
  readonly ipv6Prefix?: number;
  /** Connections that the clients of one aggregate may hold open together: a whole number or `Infinity`. */
  readonly max: number;
}

/** What a limiter allows. All of it is optional; `undefined` is the default. */
export interface LimitsOptions {
  /**
   * Connections that one client may hold open: a whole number, or `Infinity` for no limit. `0` refuses everyone.
   *
   * People behind one NAT or proxy share an address and so are one client; see {@linkcode LimitsOptions.networks}.
   *
   * @default {100} The order of magnitude that Consul and Nomad ship with.
   */
  readonly maxPerClient?: number;
  /**
   * Connections that all clients together may hold open: a whole number, or `Infinity` for no limit. Keep it at
   * half of the file descriptors that the process may open (`ulimit -n`), or below: refused connections have one, too, until
   * they are closed.
   *
   * @default {Infinity}
   */
  readonly maxTotal?: number;
  /**
   * Leading bits of an IPv4 address that make a client, 0 to 32.
   *
   * @default {32}
   */
  readonly ipv4Prefix?: number;
  /**
   * Leading bits of an IPv6 address that make a client, 0 to 128. A subscriber is normally given a /64 or more (RFC
   * 6177), every address of which is theirs to use.
   *
   * @default {64}
   */
  readonly ipv6Prefix?: number;
  /**
   * Limits on wider prefixes, counted at the same time: a connection needs room at every level. For example
   * `[{ ipv4Prefix: 24, ipv6Prefix: 48, max: 500 }]`. They hold for clients with a rule in
   * {@linkcode LimitsOptions.networks} too.
   *
   * @default {[]}
   */
  readonly aggregates?: readonly AggregateOptions[];
  /**
   * Rules for networks, by CIDR or bare address, in place of {@linkcode LimitsOptions.maxPerClient}; the longest prefix
   * wins. A rule narrower than a client makes the addresses that it covers one client together. In
   * `limiter.limits` the names are in canonical form.
   *
   * @default none
   */
  readonly networks?: Readonly<Record<string, NetworkRule>>;
}

/**
 * The limits in force: every option with its value, frozen. They are options again, so that one of them is changed by
 * `limiter.setLimits({ ...limiter.limits, maxPerClient: 20 })`.
 */
export type Limits = Readonly<Required<LimitsOptions>>;

/** Limits in the form that the limiter reads on every connection. */
export interface CompiledLimits {
  readonly limits: Limits;
  readonly networks: PrefixMap | undefined;
  readonly levels: AggregateLimits;
}

const KNOWN = ["maxPerClient", "maxTotal", "ipv4Prefix", "ipv6Prefix", "aggregates", "networks"];

/**
 * Checks options and fills in the defaults.
 *
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a number out of its range, a network that is none, or levels that contradict each other.
 */
export function compileLimits(options: LimitsOptions): CompiledLimits {
  checkPlainObject("limits", options);
  rejectUnknownKeys("option", options, KNOWN);
  const { maxPerClient = 100, maxTotal = Infinity, ipv4Prefix = 32, ipv6Prefix = 64, aggregates = [], networks = {} } =
    options;
  checkCount("maxPerClient", maxPerClient);
  checkCount("maxTotal", maxTotal);
  checkPrefix("ipv4Prefix", ipv4Prefix, 32);
  checkPrefix("ipv6Prefix", ipv6Prefix, 128);
  const levels = compileAggregates(aggregates, ipv4Prefix, ipv6Prefix);
  const rules = compileNetworks(networks);
  return {
    limits: Object.freeze({
      maxPerClient,
      maxTotal,
      ipv4Prefix,
      ipv6Prefix,
      aggregates: levels.aggregates,
      networks: rules.networks,
    }),
    networks: rules.table,
    levels,
  };
}

function compileAggregates(
  aggregates: unknown,
  ipv4Prefix: number,
  ipv6Prefix: number,
): AggregateLimits & { readonly aggregates: readonly AggregateOptions[] } {
  if (!Array.isArray(aggregates)) throw new TypeError(`aggregates must be an array, got ${formatValue(aggregates)}`);
  const copies = Array.from(aggregates, (aggregate, index) => copyAggregate(`aggregates[${index}]`, aggregate));
  return {
    aggregates: Object.freeze(copies),
    ipv4: familyLevels("ipv4Prefix", copies, ipv4Prefix),
    ipv6: familyLevels("ipv6Prefix", copies, ipv6Prefix),
  };
}

function copyAggregate(name: string, aggregate: unknown): AggregateOptions {
  checkPlainObject(name, aggregate);
  rejectUnknownKeys(`option in ${name}`, aggregate, ["ipv4Prefix", "ipv6Prefix", "max"]);
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

function familyLevels(
  family: "ipv4Prefix" | "ipv6Prefix",
  aggregates: readonly AggregateOptions[],
  clientPrefix: number,
): readonly AggregateLimit[] {
  const levels = new Map<number, AggregateLimit>();
  for (const [index, { [family]: prefix, max }] of aggregates.entries()) {
    if (prefix === undefined) continue;
    const name = `aggregates[${index}].${family}`;
    if (prefix >= clientPrefix) {
      throw new RangeError(`${name} must be shorter than ${family}, ${clientPrefix}, got ${prefix}`);
    }
    if (levels.has(prefix)) throw new RangeError(`${name} must differ from the other aggregates', got ${prefix} again`);
    levels.set(prefix, { prefix, max });
  }
  return [...levels.values()];
}

function compileNetworks(
  networks: unknown,
): { networks: Readonly<Record<string, NetworkRule>>; table: PrefixMap | undefined } {
  checkPlainObject("networks", networks);
  const copies: Record<string, NetworkRule> = {};
  const rules: [Cidr, NetworkRule][] = [];
  for (const [text, rule] of Object.entries(networks)) {
    const { network, canonical } = checkNetwork(text);
    const name = `networks[${JSON.stringify(text)}]`;
    checkPlainObject(name, rule);
    rejectUnknownKeys(`option in ${name}`, rule, ["maxPerClient"]);
    const { maxPerClient } = rule;
    checkCount(`${name}.maxPerClient`, maxPerClient);
    if (Object.hasOwn(copies, canonical)) throw new RangeError(`${name} names a network that has a rule already`);
    copies[canonical] = Object.freeze({ maxPerClient });
    rules.push([network, { maxPerClient }]);
  }
  return { networks: Object.freeze(copies), table: rules.length === 0 ? undefined : new PrefixMap(rules) };
}

function checkNetwork(text: string): { network: Cidr; canonical: string } {
  const network = parseCidr(text);
  // A rule speaks of addresses, whichever interface they are reached through, so a zone id has no place in it.
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
