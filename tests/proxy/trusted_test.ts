import { test } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { identify, type Peer, UNIX_PEER } from "../../src/core/peer.ts";
import { trustedNetworks } from "../../src/proxy/trusted.ts";

function judge(trusted: readonly string[], peers: readonly Peer[]): boolean[] {
  const isTrusted = trustedNetworks(trusted);
  return peers.map((peer) => isTrusted(identify(peer)));
}

test("trustedNetworks() trusts the addresses of its networks and no others", () => {
  const trusted = ["10.0.0.0/8", "198.51.100.7", "2001:db8::/48"];
  const inside = ["10.0.0.0", "10.255.255.255", "198.51.100.7", "2001:db8::", "2001:db8:0:ffff:ffff:ffff:ffff:ffff"];
  const outside = [
    "9.255.255.255",
    "11.0.0.0",
    "198.51.100.6",
    "198.51.100.8",
    "2001:db8:1::",
    "2001:db7::",
    "::a00:0",
  ];
  assertEquals(judge(trusted, inside), inside.map(() => true));
  assertEquals(judge(trusted, outside), outside.map(() => false));
});

test("trustedNetworks() sees an IPv4-mapped address as the IPv4 address, on both sides", () => {
  assertEquals(judge(["10.0.0.0/8"], ["::ffff:10.1.2.3", "::FFFF:a01:203", "::ffff:11.1.2.3"]), [true, true, false]);
  assertEquals(judge(["::ffff:10.0.0.0/104"], ["10.1.2.3", "::ffff:10.1.2.3", "11.1.2.3"]), [true, true, false]);
});

test("trustedNetworks() trusts a link-local network on every interface", () => {
  assertEquals(judge(["fe80::/10"], ["fe80::1%eth0", "fe80::1"]), [true, true]);
});

test("trustedNetworks() takes networks that overlap and repeat", () => {
  const trusted = ["10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8", "::ffff:10.0.0.0/104", "unix", "unix"];
  assertEquals(judge(trusted, ["10.0.0.1", "10.1.0.1", "10.2.0.1", "11.0.0.1"]), [true, true, true, false]);
});

test('trustedNetworks() trusts the peers of Unix sockets by "unix" alone', () => {
  assertEquals(judge(["unix"], [UNIX_PEER, "10.0.0.1", "unix", { key: "unix" }]), [true, false, false, false]);
  assertEquals(judge(["::/1", "8000::/1", "0.0.0.0/1", "128.0.0.0/1"], [UNIX_PEER]), [false]);
});

test("trustedNetworks() trusts no peer without an address", () => {
  const peers = [{}, { key: "10.0.0.1" }, "", "10.0.0.1:80", "010.0.0.1", undefined as unknown as Peer];
  assertEquals(judge(["10.0.0.0/8", "unix"], peers), peers.map(() => false));
});

test("trustedNetworks() rejects anything but a list of networks, and names the value", () => {
  const cases: [trusted: unknown, error: string][] = [
    [undefined, "trusted must be an array of networks in CIDR notation, got undefined"],
    [true, "trusted must be an array of networks in CIDR notation, got true"],
    [1, "trusted must be an array of networks in CIDR notation, got 1"],
    ["10.0.0.0/8", 'trusted must be an array of networks in CIDR notation, got "10.0.0.0/8"'],
    [["10.0.0.0/8", 1], "trusted[1] must be a network in CIDR notation, got 1"],
    [[, "10.0.0.0/8"], "trusted[0] must be a network in CIDR notation, got undefined"],
  ];
  for (const [trusted, error] of cases) {
    assertStrictEquals(assertThrows(() => trustedNetworks(trusted as string[]), TypeError).message, error);
  }
});

test("trustedNetworks() rejects an empty list, everybody, and what is no network", () => {
  const cases: [trusted: string[], error: string][] = [
    [[], "trusted must name at least one network, got an empty array"],
    [["loopback"], 'trusted[0] must be a network such as "10.0.0.0/8", or "unix", got "loopback"'],
    [["unix", "10.0.0.0/33"], 'trusted[1] must be a network such as "10.0.0.0/8", or "unix", got "10.0.0.0/33"'],
    [["10.0.0.0/08"], 'trusted[0] must be a network such as "10.0.0.0/8", or "unix", got "10.0.0.0/08"'],
    [["fe80::1%eth0"], 'trusted[0] must be a network such as "10.0.0.0/8", or "unix", got "fe80::1%eth0"'],
    [["10.0.0.7/8"], 'trusted[0] has bits set after its prefix, got "10.0.0.7/8"; write "10.0.0.0/8"'],
    [["2001:db8::1/64"], 'trusted[0] has bits set after its prefix, got "2001:db8::1/64"; write "2001:db8::/64"'],
    [["0.0.0.0/0"], 'trusted[0] must not be everybody, got "0.0.0.0/0"'],
    [["::/0"], 'trusted[0] must not be everybody, got "::/0"'],
  ];
  for (const [trusted, error] of cases) {
    assertStrictEquals(assertThrows(() => trustedNetworks(trusted), RangeError).message, error);
  }
});
