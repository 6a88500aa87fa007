import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { Limiter, type LimitsOptions, type Peer } from "@connlimit/connlimit";
import { internalsOf } from "../../src/core/internals.ts";

function levels(limits: LimitsOptions, peer: Peer, open: readonly Peer[] = []) {
  const limiter = new Limiter(limits);
  for (const other of open) limiter.accept(other);
  return internalsOf(limiter)!.levelsOf!(peer)?.map(({ level, name, open, max }) => [level, name, open, max]);
}

test("levelsOf() has every level in the order in which it is checked, with what is open there", () => {
  const aggregates = [{ ipv4Prefix: 24, max: 50 }, { ipv4Prefix: 16, ipv6Prefix: 48, max: 90 }];
  const limits = { maxPerClient: 5, maxTotal: 100, aggregates };
  assertEquals(levels(limits, "192.0.2.7", ["192.0.2.7", "192.0.2.8", "192.0.3.1", "2001:db8::1"]), [
    ["client", "192.0.2.7", 1, 5],
    ["aggregate", "192.0.2.0/24", 2, 50],
    ["aggregate", "192.0.0.0/16", 3, 90],
    ["total", "", 4, 100],
  ]);
  assertEquals(levels(limits, "2001:db8::2", ["2001:db8::1"]), [
    ["client", "2001:db8::/64", 1, 5],
    ["aggregate", "2001:db8::/48", 1, 90],
    ["total", "", 1, 100],
  ]);
  assertEquals(levels(limits, { key: "a" }, [{ key: "a" }]), [["client", "a", 1, 5], ["total", "", 1, 100]]);
});

test("levelsOf() applies the rule of the peer's network, and knows no level of a peer without an address", () => {
  const networks = { "10.0.0.0/8": { maxPerClient: Infinity } };
  assertEquals(levels({ networks }, "10.1.2.3")?.[0], ["client", "10.1.2.3", 0, Infinity]);
  assertEquals(levels({ networks }, "nonsense"), undefined);
});
