import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import { Limiter, type Peer } from "@connlimit/connlimit";
import { refusedFor } from "../support/admissions.ts";

test("Limiter takes every kind of peer", () => {
  const limiter = new Limiter();
  const cases: [Peer, client: string][] = [
    ["192.0.2.7", "192.0.2.7"],
    [{ remoteAddr: { transport: "tcp", hostname: "::ffff:192.0.2.7" } }, "192.0.2.7"],
    // What `Deno.startTls()` gives has no transport.
    [{ remoteAddr: { hostname: "192.0.2.7" } }, "192.0.2.7"],
    [{ remoteAddress: "192.0.2.7" }, "192.0.2.7"],
    [{ remoteAddr: { transport: "unix" } }, "unix"],
    [{ key: "alice" }, "alice"],
    [{ key: "192.0.2.7" }, "192.0.2.7"],
    ["fe80::1%eth0", "fe80::%eth0/64"],
  ];
  for (const [peer, client] of cases) assertStrictEquals(limiter.accept(peer).client, client);
  assertStrictEquals(limiter.openFor("192.0.2.7"), 4);
  assertStrictEquals(limiter.openFor({ key: "192.0.2.7" }), 1);
  assertStrictEquals(limiter.stats().clients, 5);
});

test("Limiter counts an object's address and not a key beside it", () => {
  const limiter = new Limiter();
  assertStrictEquals(limiter.accept({ remoteAddress: "192.0.2.7", key: "chosen by the client" }).client, "192.0.2.7");
});

test("Limiter refuses a peer without a usable address, and never throws for one", () => {
  const limiter = new Limiter();
  const hostile = {
    get remoteAddr(): never {
      throw new Error("dead connection");
    },
  };
  const peers = [
    ...["", "localhost", "192.0.2.07", "[::1]", "192.0.2.7:80", "2001:db8::/64", "unix"],
    ...[{ remoteAddr: { transport: "vsock" } }, { remoteAddr: { hostname: "" } }, { remoteAddr: null }, {
      remoteAddr: {},
    }],
    ...[{ remoteAddress: undefined }, { remoteAddress: "" }, { remoteAddress: 7 }, { key: "" }, { key: 7 }, {}],
    ...[null, undefined, 7, true, Symbol(), () => {}, hostile],
  ];
  // deno-lint-ignore no-explicit-any
  for (const peer of peers) assertStrictEquals(refusedFor(limiter, peer as any), "unknown-address", String(peer));
  assertStrictEquals(limiter.open, 0);
  assertStrictEquals(limiter.stats().refusedBy["unknown-address"], peers.length);
});
