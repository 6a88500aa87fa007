import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { Limiter, type LimitsOptions, type Rate, type Slot } from "@connlimit/connlimit";
import { byReason } from "../../src/core/reasons.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { ADDRESSES, NaiveLimiter, type Open } from "../support/naive_limiter.ts";

const count = fc.oneof(fc.nat(4), fc.constant(Infinity));

/** All intervals are whole milliseconds, so that the model does not round. */
const rate: fc.Arbitrary<Rate | false> = fc.oneof(
  fc.record({
    perSecond: fc.constantFrom(0.5, 1, 10, 100),
    burst: fc.integer({ min: 1, max: 3 }),
    penalty: fc.boolean(),
  }, {
    requiredKeys: ["perSecond"],
  }),
  fc.constant<false>(false),
);

function rules(ipv6Prefixes: number[] | undefined) {
  const plain = fc.record({ maxPerClient: count, rate }, { requiredKeys: ["maxPerClient"] });
  const exempt = fc.record({ exempt: fc.constant(true), max: fc.nat(3) });
  if (ipv6Prefixes === undefined) return fc.oneof(plain, fc.record({ rate }), exempt);
  const ipv6Prefix = fc.constantFrom(...ipv6Prefixes);
  return fc.oneof(plain, fc.record({ rate, ipv6Prefix }), exempt, fc.record({ ipv6Prefix }));
}

const limitsOptions: fc.Arbitrary<LimitsOptions> = fc.record({
  maxPerClient: count,
  maxTotal: fc.oneof(fc.nat(12), fc.constant(Infinity)),
  ipv4Prefix: fc.constantFrom(32, 31, 25, 24),
  ipv6Prefix: fc.constantFrom(128, 64, 63, 48),
  aggregates: fc.subarray([
    fc.record({ ipv4Prefix: fc.constant(23), max: count, rate }, { requiredKeys: ["ipv4Prefix", "max"] }),
    fc.record({ ipv4Prefix: fc.constant(8), ipv6Prefix: fc.constant(32), max: count }),
    fc.record({ ipv6Prefix: fc.constant(47), max: count, rate }, { requiredKeys: ["ipv6Prefix", "max"] }),
  ]).chain((parts) => fc.tuple(...parts)),
  networks: fc.record({
    "192.0.0.0": rules(undefined),
    "192.0.0.0/24": rules(undefined),
    "192.0.0.0/8": rules(undefined),
    "2001:db8::1": rules([128]),
    "2001:db8::/48": rules([48, 64, 127]),
    "::/0": rules([56, 128]),
  }, { requiredKeys: [] }),
  rate,
  fairShare: fc.oneof(fc.boolean(), fc.record({ share: fc.constantFrom(0.25, 0.5, 1), floor: fc.nat(2) })),
  dryRun: fc.boolean(),
}, { requiredKeys: [] }).map((options) =>
  options.fairShare && (options.maxTotal ?? Infinity) === Infinity ? { ...options, maxTotal: 8 } : options
) as fc.Arbitrary<LimitsOptions>;

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("accept" as const), who: fc.nat(ADDRESSES.length - 1) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("release" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("release again" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("limits" as const), options: limitsOptions }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), milliseconds: fc.constantFrom(1, 10, 500, 999, 2_000) }),
  },
);

test("Limiter answers and counts as a naive model does, whatever is accepted, released and reconfigured", () => {
  const seen = new Set<string>();
  // A dry run must decide as the model does, which knows nothing of what only the dry run has admitted.
  const wouldBeSeen = new Set<string>();
  const property = fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
    using fake = new FakeClock();
    const limiter = new Limiter();
    const model = new NaiveLimiter();
    const released: Slot[] = [];
    const dry: Slot[] = [];
    const wouldRefuse = byReason(() => 0);
    let peak = 0;
    for (const step of steps) {
      if (step.kind === "accept") {
        const address = ADDRESSES[step.who]!;
        const { prefix, exempt, reason } = model.judge(address, performance.now());
        const explained = limiter.explain(address.peer);
        const admission = limiter.tryAccept(address.peer);
        assertEquals(explained.admitted, admission.admitted);
        assertStrictEquals(explained.reason ?? explained.wouldRefuse ?? undefined, reason);
        if (model.dryRun && reason !== undefined) {
          assertEquals([admission.admitted, admission.admitted && admission.wouldRefuse?.reason], [true, reason]);
          wouldRefuse[reason]++;
          wouldBeSeen.add(reason);
          dry.push(admission as Slot);
        } else {
          assertStrictEquals(admission.admitted ? undefined : admission.reason, reason);
          seen.add(reason ?? "admitted");
          if (admission.admitted) {
            assertStrictEquals(admission.wouldRefuse, undefined);
            model.open.push({ ...address, prefix, exempt, slot: admission });
          }
        }
        assertStrictEquals(
          limiter.openFor(address.peer),
          model.countOf(address.family, address.bits, prefix),
        );
      } else if (step.kind === "release") {
        if (dry.length > 0 && step.which % 3 === 0) dry.splice(step.which % dry.length, 1)[0]!.release();
        else if (model.open.length > 0) {
          const [{ slot }] = model.open.splice(step.which % model.open.length, 1) as [Open];
          slot.release();
          released.push(slot);
        }
      } else if (step.kind === "release again" && released.length > 0) {
        released[step.which % released.length]!.release();
      } else if (step.kind === "limits") {
        limiter.setLimits(step.options);
        model.options = step.options;
      } else if (step.kind === "wait") fake.pass(step.milliseconds);
      check(limiter, model, peak = Math.max(peak, model.open.length));
      assertEquals(limiter.stats().wouldRefuse, wouldRefuse);
    }
    for (const { slot } of model.open.splice(0)) slot.release();
    check(limiter, model, peak);
    assertEquals([...limiter.clients()], []);
    for (const slot of dry) slot.release();
  });
  fc.assert(property, { numRuns: 3_000 });
  // A model that never sees one of the answers would agree with a limiter that never gives it.
  const all = ["admitted", "aggregate", "blocked", "client", "fair-share", "rate", "total"];
  assertEquals([...seen].sort(), all);
  assertEquals([...wouldBeSeen].sort(), all.slice(1));
});

function check(limiter: Limiter, model: NaiveLimiter, peak: number): void {
  const { open, clients, peak: limiterPeak } = limiter.stats();
  assertStrictEquals(open, model.open.length);
  assertStrictEquals(limiterPeak, peak);
  const expected = new Map<string, number>();
  for (const { slot: { client } } of model.open) expected.set(client, (expected.get(client) ?? 0) + 1);
  const actual = new Map([...limiter.clients()].map(({ client, open }) => [client, open]));
  assertStrictEquals(clients, actual.size);
  assertEquals(actual, expected);
}
