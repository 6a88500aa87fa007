import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Limiter, type Limits, type LimitsOptions } from "@connlimit/connlimit";

const DEFAULTS: Limits = {
  maxPerClient: 100,
  maxTotal: Infinity,
  ipv4Prefix: 32,
  ipv6Prefix: 64,
  aggregates: [],
  networks: {},
  rate: false,
  fairShare: false,
  dryRun: false,
};

test("Limiter.limits has the defaults where nothing is given", () => {
  assertEquals({ ...new Limiter().limits }, DEFAULTS);
  // deno-lint-ignore no-explicit-any
  assertEquals({ ...new Limiter({ maxPerClient: undefined } as any).limits }, DEFAULTS);
});

test("Limiter.limits is frozen, whole, and a copy", () => {
  const rule = { maxPerClient: 5 };
  const aggregate = { ipv4Prefix: 24, max: 7 };
  const { limits } = new Limiter({ networks: { "10.0.0.0/8": rule }, aggregates: [aggregate] });
  rule.maxPerClient = 6;
  aggregate.max = 8;
  assertEquals(limits.networks["10.0.0.0/8"], { maxPerClient: 5 });
  assertEquals([...limits.aggregates], [{ ipv4Prefix: 24, max: 7 }]);
  for (
    const part of [limits, limits.networks, limits.networks["10.0.0.0/8"], limits.aggregates, limits.aggregates[0]]
  ) {
    assert(Object.isFrozen(part));
  }
});

test("Limiter.limits can be given back as options", () => {
  const limiter = new Limiter({
    maxPerClient: 3,
    maxTotal: 9,
    ipv4Prefix: 28,
    ipv6Prefix: 56,
    rate: { perSecond: 0.5, burst: 4, penalty: true, maxTracked: 9 },
    fairShare: { floor: 2 },
    dryRun: true,
    aggregates: [
      { ipv4Prefix: 16, ipv6Prefix: 32, max: 5, rate: { perSecond: 9 } },
      { ipv6Prefix: 48, max: Infinity, rate: false },
    ],
    networks: {
      "::FFFF:10.0.0.0/104": { maxPerClient: Infinity },
      "2001:DB8::/32": { maxPerClient: 0 },
      "::1": { maxPerClient: 1, rate: false },
      "::2": { rate: { perSecond: 3, burst: 1 }, ipv6Prefix: 128 },
      "::3": { exempt: true },
    },
  });
  const before = limiter.limits;
  assertEquals(Object.keys(before.networks), ["10.0.0.0/8", "2001:db8::/32", "::1", "::2", "::3"]);
  limiter.setLimits(before);
  assertEquals(limiter.limits, before);
  limiter.setLimits({ ...before, maxPerClient: 20 });
  assertEquals(limiter.limits, { ...before, maxPerClient: 20 });
});

/** What is wrong with each of these, as the error must say it: the option and the value. */
// deno-lint-ignore no-explicit-any
const BAD: [options: any, error: typeof TypeError | typeof RangeError, ...says: string[]][] = [
  [null, TypeError, "limits", "null"],
  [[], TypeError, "limits", "an array"],
  [7, TypeError, "limits", "7"],
  ["7", TypeError, "limits", '"7"'],
  [{ maxPerCleint: 1 }, TypeError, '"maxPerCleint"', "maxPerClient"],
  [{ max: 1 }, TypeError, '"max"'],
  [{ ["x".repeat(1_000)]: 1 }, TypeError, "xxx…"],
  ...["maxPerClient", "maxTotal"].flatMap((option): typeof BAD => [
    [{ [option]: "10" }, TypeError, option, '"10"'],
    [{ [option]: null }, TypeError, option, "null"],
    [{ [option]: true }, TypeError, option, "true"],
    [{ [option]: 10n }, TypeError, option, "10n"],
    [{ [option]: () => 1 }, TypeError, option, "a function"],
    [{ [option]: {} }, TypeError, option, "an object"],
    [{ [option]: NaN }, RangeError, option, "NaN"],
    [{ [option]: -1 }, RangeError, option, "-1"],
    [{ [option]: 1.5 }, RangeError, option, "1.5"],
    [{ [option]: -Infinity }, RangeError, option, "-Infinity"],
    [{ [option]: 2 ** 53 }, RangeError, option, "9007199254740992"],
  ]),
  [{ ipv4Prefix: 33 }, RangeError, "ipv4Prefix", "0 to 32", "33"],
  [{ ipv4Prefix: -1 }, RangeError, "ipv4Prefix", "-1"],
  [{ ipv4Prefix: "24" }, TypeError, "ipv4Prefix", '"24"'],
  [{ ipv6Prefix: 129 }, RangeError, "ipv6Prefix", "0 to 128", "129"],
  [{ ipv6Prefix: 63.5 }, RangeError, "ipv6Prefix", "63.5"],
  [{ ipv6Prefix: NaN }, RangeError, "ipv6Prefix", "NaN"],
  [{ ipv6Prefix: Infinity }, RangeError, "ipv6Prefix", "Infinity"],
  [{ aggregates: {} }, TypeError, "aggregates", "an object"],
  [{ aggregates: [7] }, TypeError, "aggregates[0]", "7"],
  [{ aggregates: [{ ipv4Prefix: 24, max: 1 }, { max: 1 }] }, TypeError, "aggregates[1]", "neither"],
  [{ aggregates: [{ ipv4Prefix: 24 }] }, TypeError, "aggregates[0].max", "undefined"],
  [{ aggregates: [{ ipv4Prefix: 24, max: -1 }] }, RangeError, "aggregates[0].max", "-1"],
  [{ aggregates: [{ ipv4Prefix: 24, max: NaN }] }, RangeError, "aggregates[0].max", "NaN"],
  [{ aggregates: [{ ipv4Prefix: 24, limit: 1 }] }, TypeError, "aggregates[0]", '"limit"'],
  [{ aggregates: [{ ipv4Prefix: 32, max: 1 }] }, RangeError, "aggregates[0].ipv4Prefix", "32"],
  [{ aggregates: [{ ipv6Prefix: 64, max: 1 }] }, RangeError, "aggregates[0].ipv6Prefix", "64"],
  [{ ipv4Prefix: 24, aggregates: [{ ipv4Prefix: 24, max: 1 }] }, RangeError, "aggregates[0].ipv4Prefix", "24"],
  [{ aggregates: [{ ipv4Prefix: 8, max: 1 }, { ipv4Prefix: 8, max: 2 }] }, RangeError, "aggregates[1].ipv4Prefix", "8"],
  [{ aggregates: new Array(1) }, TypeError, "aggregates[0]", "undefined"],
  [new Map([["maxPerClient", 1]]), TypeError, "limits", "an instance of Map"],
  [new Limiter({ maxPerClient: 1 }), TypeError, "limits", "an instance of Limiter"],
  [{ networks: new Map([["10.0.0.0/8", { maxPerClient: 0 }]]) }, TypeError, "networks", "an instance of Map"],
  [{ networks: Object.create({ "10.0.0.0/8": { maxPerClient: 0 } }) }, TypeError, "networks", "plain object"],
  [{ networks: [] }, TypeError, "networks", "an array"],
  [{ networks: null }, TypeError, "networks", "null"],
  [{ networks: { "10.0.0.0/33": { maxPerClient: 1 } } }, RangeError, "networks", '"10.0.0.0/33"'],
  [{ networks: { "10.0.0/8": { maxPerClient: 1 } } }, RangeError, "networks", '"10.0.0/8"'],
  [{ networks: { localhost: { maxPerClient: 1 } } }, RangeError, "networks", '"localhost"'],
  [{ networks: { "fe80::1%eth0": { maxPerClient: 1 } } }, RangeError, "networks", '"fe80::1%eth0"'],
  [{ networks: { "10.0.0.1/8": { maxPerClient: 1 } } }, RangeError, '"10.0.0.1/8"', '"10.0.0.0/8"'],
  [{ networks: { "2001:db8::1/32": { maxPerClient: 1 } } }, RangeError, '"2001:db8::1/32"', '"2001:db8::/32"'],
  [{ networks: { "10.0.0.0/8": 5 } }, TypeError, '"10.0.0.0/8"', "5"],
  [{ networks: { "10.0.0.0/8": {} } }, TypeError, '"10.0.0.0/8"', "maxPerClient", "undefined"],
  [{ networks: { "10.0.0.0/8": { maxPerClient: -1 } } }, RangeError, '"10.0.0.0/8"', "maxPerClient", "-1"],
  [{ networks: { "10.0.0.0/8": { max: 1 } } }, TypeError, '"10.0.0.0/8"', '"max"'],
  ...([
    [{ exempt: 1 }, TypeError, ".exempt", "1"],
    [{ exempt: true, max: Infinity }, RangeError, ".max", "Infinity"],
    [{ exempt: true, max: -1 }, RangeError, ".max", "-1"],
    [{ exempt: false, max: 1 }, TypeError, '"max"', "exempt"],
    [{ exempt: true, maxPerClient: 5 }, TypeError, ".maxPerClient", "exempt", "5"],
    [{ exempt: true, rate: false }, TypeError, ".rate", "exempt", "false"],
    [{ ipv6Prefix: 64 }, RangeError, ".ipv6Prefix", "IPv6", "64"],
    [{ rate: { perSecond: 0 } }, RangeError, ".rate.perSecond", "0"],
    [{ rate: { perSecond: 1, maxTracked: 5 } }, TypeError, ".rate", '"maxTracked"'],
  ] as [object, typeof RangeError | typeof TypeError, ...string[]][]).map((
    [rule, error, ...says],
  ): (typeof BAD)[number] => [
    { networks: { "10.0.0.0/8": rule } },
    error,
    '"10.0.0.0/8"',
    ...says,
  ]),
  [{ networks: { "2001:db8::/56": { ipv6Prefix: 48 } } }, RangeError, '"2001:db8::/56"', ".ipv6Prefix", "56", "48"],
  [
    { aggregates: [{ ipv6Prefix: 48, max: 1 }], networks: { "2001:db8::/32": { ipv6Prefix: 48 } } },
    RangeError,
    ".ipv6Prefix",
    "49",
    "48",
  ],
  [{ rate: true }, TypeError, "rate", "true"],
  [{ rate: {} }, TypeError, "rate.perSecond", "undefined"],
  [{ rate: { perSecond: Infinity } }, RangeError, "rate.perSecond", "Infinity"],
  [{ rate: { perSecond: NaN } }, RangeError, "rate.perSecond", "NaN"],
  [{ rate: { perSecond: -1 } }, RangeError, "rate.perSecond", "-1"],
  [{ rate: { perSecond: 1, burst: 0 } }, RangeError, "rate.burst", "0"],
  [{ rate: { perSecond: 1, burst: 1.5 } }, RangeError, "rate.burst", "1.5"],
  [{ rate: { perSecond: 1, penalty: 1 } }, TypeError, "rate.penalty", "1"],
  [{ rate: { perSecond: 1, maxTracked: 0 } }, RangeError, "rate.maxTracked", "0"],
  [{ rate: { perSecond: 1, max: 0 } }, TypeError, "rate", '"max"'],
  [{ aggregates: [{ ipv4Prefix: 8, max: 1, rate: 5 }] }, TypeError, "aggregates[0].rate", "5"],
  [{ fairShare: true }, RangeError, "fairShare", "maxTotal", "Infinity"],
  [{ fairShare: 1, maxTotal: 5 }, TypeError, "fairShare", "1"],
  [{ fairShare: { share: 0 }, maxTotal: 5 }, RangeError, "fairShare.share", "0"],
  [{ fairShare: { share: 2 }, maxTotal: 5 }, RangeError, "fairShare.share", "2"],
  [{ fairShare: { share: "1" }, maxTotal: 5 }, TypeError, "fairShare.share", '"1"'],
  [{ fairShare: { floor: -1 }, maxTotal: 5 }, RangeError, "fairShare.floor", "-1"],
  [{ fairShare: { foor: 1 }, maxTotal: 5 }, TypeError, "fairShare", '"foor"'],
  [{ dryRun: 1 }, TypeError, "dryRun", "1"],
  [
    { networks: { "10.0.0.0/8": { maxPerClient: 1 }, "::ffff:10.0.0.0/104": { maxPerClient: 2 } } },
    RangeError,
    '"::ffff:10.0.0.0/104"',
  ],
];

test("Limiter() refuses bad options, naming the option and the value", () => {
  for (const [options, errorClass, ...says] of BAD) {
    for (const text of says) assertThrows(() => new Limiter(options), errorClass, text);
    assertEquals(assertThrows(() => new Limiter(options)).name, errorClass.name);
  }
});

test("Limiter.setLimits() with bad options leaves the limits and the counts as they were", () => {
  const options: LimitsOptions = { maxPerClient: 2, aggregates: [{ ipv4Prefix: 24, max: 2 }] };
  const limiter = new Limiter(options);
  using _ = limiter.accept("192.0.2.7");
  const before = limiter.limits;
  for (const [options, errorClass] of BAD) assertThrows(() => limiter.setLimits(options), errorClass);
  assertEquals(limiter.limits, before);
  using _second = limiter.accept("192.0.2.8");
  assertEquals(limiter.tryAccept("192.0.2.9").admitted, false);
  assertEquals(limiter.open, 2);
});

test("Limiter takes options of another realm, as structuredClone() makes them under Jest", () => {
  const options = runInNewContext('({ maxPerClient: 3, networks: { "10.0.0.0/8": { maxPerClient: 5 } } })');
  assert(Object.getPrototypeOf(options) !== Object.prototype);
  const { maxPerClient, networks } = new Limiter(options).limits;
  assertEquals([maxPerClient, networks["10.0.0.0/8"]], [3, { maxPerClient: 5 }]);
  for (const none of ["new Map()", "[]", "Object.create({})", "new (class Limits {})()"]) {
    assertThrows(() => new Limiter(runInNewContext(none)), TypeError, "limits must be a plain object, got an");
  }
});

test("Limiter says how to write a rule that is a number", () => {
  assertThrows(
    () => new Limiter({ networks: { "10.0.0.0/8": 5 as never } }),
    TypeError,
    'networks["10.0.0.0/8"] must be a plain object, got 5; write { maxPerClient: 5 }',
  );
});
