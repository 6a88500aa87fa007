import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { Limiter, type LimitsOptions, type RefusalReason, type Slot } from "@connlimit/connlimit";

/** A connection that the model holds open: with the bits of its address, and how many of them make its client. */
interface Open {
  readonly family: number;
  readonly bits: string;
  readonly prefix: number;
  readonly slot: Slot;
}

/** Addresses with their bits as a string of zeros and ones, few enough that they meet, and near to each other. */
const ADDRESSES = [
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

const count = fc.oneof(fc.nat(4), fc.constant(Infinity));

const limitsOptions: fc.Arbitrary<LimitsOptions> = fc.record({
  maxPerClient: count,
  maxTotal: fc.oneof(fc.nat(12), fc.constant(Infinity)),
  ipv4Prefix: fc.constantFrom(32, 31, 25, 24),
  ipv6Prefix: fc.constantFrom(128, 64, 63, 48),
  aggregates: fc.subarray([
    fc.record({ ipv4Prefix: fc.constant(23), max: count }),
    fc.record({ ipv4Prefix: fc.constant(8), ipv6Prefix: fc.constant(32), max: count }),
    fc.record({ ipv6Prefix: fc.constant(47), max: count }),
  ]).chain((parts) => fc.tuple(...parts)),
  networks: fc.dictionary(
    fc.constantFrom("192.0.0.0", "192.0.0.0/24", "192.0.0.0/8", "2001:db8::1", "2001:db8::/48", "::/0"),
    fc.record({ maxPerClient: count }),
  ),
}, { requiredKeys: [] });

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("accept" as const), who: fc.nat(ADDRESSES.length - 1) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("release" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("release again" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("limits" as const), options: limitsOptions }) },
);

/** The naive limiter: a list of open connections, looked through from end to end for each question. */
class Model {
  readonly open: Open[] = [];
  options: LimitsOptions = {};

  /** What the limiter must answer: how many bits make the client, and why it must refuse, if it must. */
  judge({ family, bits }: (typeof ADDRESSES)[number]): { prefix: number; reason: RefusalReason | undefined } {
    const { maxPerClient = 100, maxTotal = Infinity, aggregates = [] } = this.options;
    const { ipv4Prefix = 32, ipv6Prefix = 64 } = this.options;
    const rule = this.#rule(family, bits);
    const prefix = Math.max(family === 4 ? ipv4Prefix : ipv6Prefix, rule?.prefix ?? 0);
    const max = rule?.maxPerClient ?? maxPerClient;
    const within = (length: number) =>
      this.open.filter((conn) =>
        conn.family === family && conn.bits.slice(0, length) === bits.slice(0, length) && conn.prefix >= length
      ).length;
    const mine = this.countOf(family, bits, prefix);
    const full = aggregates.some((level) => {
      const length = family === 4 ? level.ipv4Prefix : level.ipv6Prefix;
      return length !== undefined && within(length) >= level.max;
    });
    const reason = mine >= max
      ? rule !== undefined && max === 0 ? "blocked" : "client"
      : full
      ? "aggregate"
      : this.open.length >= maxTotal
      ? "total"
      : undefined;
    return { prefix, reason };
  }

  countOf(family: number, bits: string, prefix: number): number {
    const client = bits.slice(0, prefix);
    return this.open.filter((conn) =>
      conn.family === family && conn.prefix === prefix && conn.bits.slice(0, prefix) === client
    ).length;
  }

  #rule(family: number, bits: string): { prefix: number; maxPerClient: number } | undefined {
    const rules = Object.entries(this.options.networks ?? {}).flatMap(([text, { maxPerClient }]) => {
      const [address, length] = text.split("/");
      const prefix = Number(length ?? (address!.includes(":") ? 128 : 32));
      return (address!.includes(":") ? 6 : 4) === family && bits.startsWith(NETWORK_BITS[address!]!.slice(0, prefix))
        ? [{ prefix, maxPerClient }]
        : [];
    });
    return rules.sort((one, other) => other.prefix - one.prefix)[0];
  }
}

/** The bits of the addresses that the networks above are made of. */
const NETWORK_BITS: Record<string, string> = {
  "192.0.0.0": ADDRESSES[0]!.bits,
  "2001:db8::1": ADDRESSES[7]!.bits,
  "2001:db8::": `${ADDRESSES[7]!.bits.slice(0, 127)}0`,
  "::": "0".repeat(128),
};

test("Limiter answers and counts as a naive model does, whatever is accepted, released and reconfigured", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const limiter = new Limiter();
      const model = new Model();
      const released: Slot[] = [];
      let peak = 0;
      for (const step of steps) {
        if (step.kind === "accept") {
          const address = ADDRESSES[step.who]!;
          const { prefix, reason } = model.judge(address);
          const explained = limiter.explain(address.peer);
          const admission = limiter.tryAccept(address.peer);
          assertStrictEquals(admission.admitted ? undefined : admission.reason, reason);
          assertEquals([explained.admitted, explained.reason], [admission.admitted, reason ?? null]);
          seen.add(reason ?? "admitted");
          if (admission.admitted) model.open.push({ ...address, prefix, slot: admission });
          assertStrictEquals(
            limiter.openFor(address.peer),
            model.countOf(address.family, address.bits, prefix),
          );
        } else if (step.kind === "release" && model.open.length > 0) {
          const [{ slot }] = model.open.splice(step.which % model.open.length, 1) as [Open];
          slot.release();
          released.push(slot);
        } else if (step.kind === "release again" && released.length > 0) {
          released[step.which % released.length]!.release();
        } else if (step.kind === "limits") {
          limiter.setLimits(step.options);
          model.options = step.options;
        }
        check(limiter, model, peak = Math.max(peak, model.open.length));
      }
      for (const { slot } of model.open.splice(0)) slot.release();
      check(limiter, model, peak);
      assertEquals([...limiter.clients()], []);
    }),
    { numRuns: 3_000 },
  );
  // A model that never sees one of the answers would agree with a limiter that never gives it.
  assertEquals([...seen].sort(), ["admitted", "aggregate", "blocked", "client", "total"]);
});

function check(limiter: Limiter, model: Model, peak: number): void {
  const { open, clients, peak: limiterPeak } = limiter.stats();
  assertStrictEquals(open, model.open.length);
  assertStrictEquals(limiterPeak, peak);
  const expected = new Map<string, number>();
  for (const { slot: { client } } of model.open) expected.set(client, (expected.get(client) ?? 0) + 1);
  const actual = new Map([...limiter.clients()].map(({ client, open }) => [client, open]));
  assertStrictEquals(clients, actual.size);
  assertEquals(actual, expected);
}
