import { test } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { forwarded, type ForwardedOptions, PRIVATE_NETWORKS } from "@connlimit/connlimit/proxy";

const TRUSTED = ["10.0.0.0/8"];
const PROXY = "10.0.0.2";
const xff = (value: string) => ({ headers: { "x-forwarded-for": value } });

test("forwarded() believes the header of a trusted peer, in every form in which a peer comes", () => {
  const clientOf = forwarded({ header: "x-forwarded-for", trusted: TRUSTED });
  const peers = [
    PROXY,
    `::ffff:${PROXY}`,
    { remoteAddress: PROXY },
    { remoteAddr: { transport: "tcp", hostname: PROXY } },
    { requestIP: () => ({ address: PROXY }), port: 80 },
  ];
  for (const peer of peers) assertStrictEquals(clientOf(xff("203.0.113.7"), peer), "203.0.113.7");
});

test("forwarded() reads Headers and objects, several lines, and any case of the name", () => {
  const clientOf = forwarded({ header: "X-Forwarded-For", trusted: TRUSTED });
  const headers = new Headers([["x-forwarded-for", "192.0.2.1, 203.0.113.7"], ["X-FORWARDED-FOR", "10.0.0.3"]]);
  assertStrictEquals(clientOf({ headers }, PROXY), "203.0.113.7");
  const lines = { "x-forwarded-for": ["192.0.2.1, 203.0.113.7", "", "10.0.0.3"] };
  assertStrictEquals(clientOf({ headers: lines }, PROXY), "203.0.113.7");
});

test("forwarded() takes who is not trusted directly, if it is to: by address, key or Unix socket", () => {
  const clientOf = forwarded({ header: "x-forwarded-for", trusted: TRUSTED, untrusted: "direct" });
  const unix = { remoteAddr: { transport: "unix" } };
  assertStrictEquals(clientOf(xff("203.0.113.7"), "::ffff:192.0.2.9"), "192.0.2.9");
  assertEquals(clientOf(xff("203.0.113.7"), { key: "account" }), { key: "account" });
  assertEquals(clientOf(xff("203.0.113.7"), unix), unix);
  assertStrictEquals(clientOf(xff("203.0.113.7"), {}), undefined);
});

test("forwarded() refuses a peer that is not trusted, and one without an address", () => {
  const clientOf = forwarded({ header: "x-forwarded-for", trusted: TRUSTED });
  const unix = { remoteAddr: { transport: "unix" } };
  const peers: Parameters<typeof clientOf>[1][] = ["192.0.2.9", "::ffff:192.0.2.9", {}, unix, { key: PROXY }, {
    requestIP: () => null,
    port: 80,
  }];
  for (const peer of peers) assertStrictEquals(clientOf(xff("203.0.113.7"), peer), undefined);
  // Plain JavaScript can leave it out.
  assertStrictEquals((clientOf as unknown as (request: unknown) => unknown)(xff("203.0.113.7")), undefined);
});

test('forwarded() counts a peer that is not trusted for itself with "direct", and ignores its header', () => {
  const clientOf = forwarded({ header: "x-forwarded-for", trusted: TRUSTED, untrusted: "direct" });
  assertStrictEquals(clientOf(xff("203.0.113.7"), "192.0.2.9"), "192.0.2.9");
  assertStrictEquals(clientOf(xff("203.0.113.7"), { remoteAddress: "::ffff:192.0.2.9" }), "192.0.2.9");
  assertEquals(clientOf(xff("203.0.113.7"), { remoteAddr: { transport: "unix" } }), {
    remoteAddr: { transport: "unix" },
  });
  assertStrictEquals(clientOf(xff("203.0.113.7"), {}), undefined);
  assertStrictEquals(clientOf(xff("203.0.113.7"), PROXY), "203.0.113.7");
});

test('forwarded() trusts the peers of Unix sockets by "unix", on Deno, Bun and Node', () => {
  const clientOf = forwarded({ header: "x-forwarded-for", trusted: ["unix"] });
  const unix = { remoteAddr: { transport: "unix" } };
  assertStrictEquals(clientOf(xff("203.0.113.7"), unix), "203.0.113.7");
  assertStrictEquals(clientOf(xff("203.0.113.7"), { requestIP: () => null }), "203.0.113.7");
  // The address in the list is a client like others: only the peer is a Unix socket.
  assertStrictEquals(clientOf(xff("203.0.113.7, 10.0.0.3"), unix), "10.0.0.3");
  // Without a usable entry, all that is known is the socket.
  assertEquals(clientOf(xff("unix:"), unix), unix);
  assertStrictEquals(clientOf(xff("203.0.113.7"), "192.0.2.9"), undefined);
});

test("forwarded() reads headers with one address", () => {
  for (const header of ["x-real-ip", "cf-connecting-ip", "fly-client-ip", "true-client-ip"]) {
    const clientOf = forwarded({ header, trusted: TRUSTED });
    assertStrictEquals(clientOf({ headers: { [header]: " 203.0.113.7 " } }, PROXY), "203.0.113.7");
    assertStrictEquals(clientOf({ headers: { [header]: "2001:DB8::7" } }, PROXY), "2001:db8::7");
    // The only header that is read is the one that is named.
    assertStrictEquals(clientOf(xff("203.0.113.7"), PROXY), PROXY);
  }
});

test("forwarded() takes the peer for the client if there is no header", () => {
  const clientOf = forwarded({ header: "x-forwarded-for", trusted: TRUSTED });
  for (const headers of [{}, new Headers(), { "x-forwarded-for": undefined }, { "x-forwarded-for": [] }]) {
    assertStrictEquals(clientOf({ headers }, PROXY), PROXY);
  }
  // What objects have besides headers is none.
  const inherited = forwarded({ header: "constructor", trusted: TRUSTED });
  assertStrictEquals(inherited({ headers: {} }, PROXY), PROXY);
});

test("PRIVATE_NETWORKS are private and loopback addresses, no others, and frozen", () => {
  const clientOf = forwarded({ header: "x-forwarded-for", trusted: PRIVATE_NETWORKS });
  const trusts = (peer: string) => clientOf(xff("203.0.113.7"), peer) === "203.0.113.7";
  const inside = ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "127.0.0.1", "::1", "fc00::1", "fdaa::1"];
  const outside = [
    "11.0.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "192.169.0.1",
    "::2",
    "fe80::1",
    "169.254.0.1",
    "100.64.0.1",
  ];
  assertEquals([inside.filter((peer) => !trusts(peer)), outside.filter(trusts)], [[], []]);
  assertThrows(() => (PRIVATE_NETWORKS as string[]).push("0.0.0.0/1"), TypeError);
});

test("forwarded() rejects bad options at once, naming option and value", () => {
  const good = { header: "x-forwarded-for", trusted: TRUSTED };
  const cases: [options: unknown, kind: typeof TypeError | typeof RangeError, error: string][] = [
    [undefined, TypeError, "options must be a plain object, got undefined"],
    [{ ...good, header: undefined }, TypeError, "header must be the name of a header, got undefined"],
    [{ ...good, header: ["a"] }, TypeError, "header must be the name of a header, got an array"],
    [{ ...good, header: "" }, RangeError, 'header must be the name of a header, got ""'],
    [{ ...good, header: "x forwarded" }, RangeError, 'header must be the name of a header, got "x forwarded"'],
    [{ header: "x-real-ip" }, TypeError, "trusted must be an array of networks in CIDR notation, got undefined"],
    [{ ...good, trusted: [] }, RangeError, "trusted must name at least one network, got an empty array"],
    [{ ...good, trusted: true }, TypeError, "trusted must be an array of networks in CIDR notation, got true"],
    [{ ...good, trusted: 1 }, TypeError, "trusted must be an array of networks in CIDR notation, got 1"],
    [{ ...good, untrusted: "allow" }, TypeError, 'untrusted must be "refuse" or "direct", got "allow"'],
    [{ ...good, hops: 1 }, TypeError, 'unknown option "hops"; known are header, trusted, untrusted'],
  ];
  for (const [options, kind, error] of cases) {
    assertStrictEquals(assertThrows(() => forwarded(options as ForwardedOptions), kind).message, error);
  }
});
