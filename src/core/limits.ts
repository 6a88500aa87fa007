/**
 * Limits: the options of a limiter, validated once, with their defaults.
 *
 * @module
 */

import type { AggregateLimit, AggregateLimits } from "./counts.ts";
import { checkFairShare, type FairShareOptions } from "./fair_share.ts";
import { type CompiledRule, compileNetworks, type NetworkRule } from "./network_rules.ts";
import type { PrefixMap } from "./prefix_map.ts";
import { checkRate, type CompiledRate, compileRate, MAX_TRACKED, type Rate, type RateOptions } from "./rate.ts";
import { checkCount, checkOptions, checkPrefix, typeError } from "./validate.ts";

/** A limit on all clients within a wider prefix together. Give a prefix length for IPv4, for IPv6, or for both. */
export interface AggregateOptions {
  /** Prefix length of an IPv4 aggregate, 0 to 31. It must be shorter than {@linkcode LimitsOptions.ipv4Prefix}. */
  readonly ipv4Prefix?: number;
  /** Prefix length of an IPv6 aggregate, 0 to 127. It must be shorter than {@linkcode LimitsOptions.ipv6Prefix}. */
  readonly ipv6Prefix?: number;
  /** Maximum number of open connections per aggregate: a whole number or `Infinity`. */
  readonly max: number;
  /**
   * The rate of new connections of each aggregate. `false` is none.
   *
   * @default {false}
   */
  readonly rate?: Rate | false;
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
  /**
   * The rate of new connections of each client. Beyond, they are refused with the reason `"rate"`, and spend nothing;
   * neither do those that are refused for another reason. `false` is none. A change of the limits keeps what is spent.
   *
   * @default {false}
   */
  readonly rate?: RateOptions | false;
  /**
   * What one client may hold as `maxTotal` comes nearer: `floor` connections, or `share` of those that are free, if that
   * is more. Beyond, its connections are refused with the reason `"fair-share"`. `true` is the defaults: an eighth, and 4.
   * Needs a finite {@linkcode LimitsOptions.maxTotal}.
   *
   * @default {false}
   */
  readonly fairShare?: FairShareOptions | boolean;
  /**
   * Whether connections that would be refused are admitted, and counted in `stats().wouldRefuse`. They hold slots that take
   * no room from others, so the decisions are those that the limits would make. `onRefused` is told, with
   * `refusal.dryRun`.
   *
   * @default {false}
   */
  readonly dryRun?: boolean;
}

/**
 * The current limits: every option with its value, frozen. They are valid options, so one limit can be changed with
 * `limiter.setLimits({ ...limiter.limits, maxPerClient: 20 })`.
 */
export type Limits = Readonly<Required<LimitsOptions>>;

/** Limits in the form that the limiter reads for every connection. */
export interface CompiledLimits {
  readonly limits: Limits;
  readonly networks: PrefixMap<CompiledRule> | undefined;
  readonly levels: AggregateLimits;
  readonly policies: Policies | undefined;
}

/** What few limiters have. */
export interface Policies {
  readonly fairShare: Required<FairShareOptions> | false;
  /** The rate of clients without a rule. */
  readonly rate: CompiledRate | undefined;
  /** The most clients whose rates are remembered. 0 if no rate is set anywhere. */
  readonly maxTracked: number;
}

const KNOWN_OPTIONS = ["maxPerClient", "maxTotal", "ipv4Prefix", "ipv6Prefix", "aggregates", "networks"].concat(
  "rate",
  "fairShare",
  "dryRun",
);

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
  const { rate = false, fairShare = false, dryRun = false } = options;
  checkCount("maxPerClient", maxPerClient);
  checkCount("maxTotal", maxTotal);
  checkPrefix("ipv4Prefix", ipv4Prefix, 32);
  checkPrefix("ipv6Prefix", ipv6Prefix, 128);
  const levels = compileAggregates(aggregates, ipv4Prefix, ipv6Prefix);
  const checkedRate = checkRate("rate", rate, true) as Required<RateOptions> | false;
  const share = checkFairShare(fairShare, maxTotal);
  if (typeof dryRun !== "boolean") throw typeError("dryRun", "a boolean", dryRun);
  const clientRate = compileRate(checkedRate);
  const longestAggregate = Math.max(-1, ...levels.ipv6.map(({ prefix }) => prefix));
  const defaults = { maxPerClient, ipv4Prefix, ipv6Prefix, rate: clientRate, longestAggregate };
  const [rules, table] = compileNetworks(networks, defaults);
  const rated = [{ rate: checkedRate }, ...levels.aggregates, ...Object.values(rules)].some(({ rate }) => rate);
  const maxTracked = rated ? checkedRate ? checkedRate.maxTracked : MAX_TRACKED : 0;
  const limits = {
    maxPerClient,
    maxTotal,
    ipv4Prefix,
    ipv6Prefix,
    aggregates: levels.aggregates,
    networks: rules,
    rate: checkedRate,
    fairShare: share,
    dryRun,
  };
  const policies = rated || share ? { fairShare: share, rate: clientRate, maxTracked } : undefined;
  return { limits: Object.freeze(limits), networks: table, levels, policies };
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
  checkOptions(name, `option in ${name}`, aggregate, ["ipv4Prefix", "ipv6Prefix", "max", "rate"]);
  const { ipv4Prefix, ipv6Prefix, max, rate } = aggregate;
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
    ...(rate !== undefined && { rate: checkRate(`${name}.rate`, rate) }),
  });
}

/** The aggregate limits of one address family. */
function aggregateLimits(
  family: "ipv4Prefix" | "ipv6Prefix",
  aggregates: readonly AggregateOptions[],
  clientPrefix: number,
): readonly AggregateLimit[] {
  const limits = new Map<number, AggregateLimit>();
  for (const [index, { [family]: prefix, max, rate }] of aggregates.entries()) {
    if (prefix === undefined) continue;
    const name = `aggregates[${index}].${family}`;
    if (prefix >= clientPrefix) {
      throw new RangeError(`${name} must be shorter than ${family}, ${clientPrefix}, got ${prefix}`);
    }
    if (limits.has(prefix)) throw new RangeError(`${name} must differ from the other aggregates', got ${prefix} again`);
    limits.set(prefix, { prefix, max, rate: rate && compileRate(rate as Required<Rate>) || undefined });
  }
  return [...limits.values()];
}
