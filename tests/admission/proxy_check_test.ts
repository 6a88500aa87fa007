/**
 * Which refusals are told as those of proxies, and how often.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Peer } from "@connlimit/connlimit";
import { type ForwardedHeader, isNear, ProxyCheck } from "../../src/admission/proxy_check.ts";
import { identify, UNIX_PEER } from "../../src/core/peer.ts";

/** A check, and what it tells. */
function checked(about = {}): { told: string[]; refuse: (peer: Peer, ...headers: string[]) => number } {
  const told: string[] = [];
  const check = new ProxyCheck(about, "do so", (error) => told.push((error as Error).message));
  const refuse = (peer: Peer, ...headers: string[]) => {
    let looks = 0;
    const has = (name: ForwardedHeader) => (looks++, headers.includes(name));
    if (check.isDue) check.look(peer, has);
    return looks;
  };
  return { told, refuse };
}

const said = (who: string, header = "forwarded") =>
  `${who} was refused at maxPerClient and sends the header ${header}; if it is your proxy, all its users are one client: ` +
  "do so (see docs/checks.md#proxy-refused)";

test("isNear() knows loopback, private and link-local networks, and Unix sockets", () => {
  const near = ["127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1"];
  const near6 = ["169.254.1.1", "::1", "fd00::7", "fc00::1", "fe80::1%eth0", "::ffff:10.0.0.1"];
  const far = ["8.8.8.8", "172.15.0.1", "172.32.0.1", "100.128.0.1", "192.167.1.1", "2001:db8::1", "::2", "fe00::1"];
  for (const peer of [...near, ...near6, UNIX_PEER]) assert(isNear(identify(peer)!), String(peer));
  for (const peer of [...far, "::ffff:8.8.8.8", { key: "127.0.0.1" }]) assert(!isNear(identify(peer)!), String(peer));
});

test("ProxyCheck tells of a proxy once, whatever flood of headers comes", () => {
  const { told, refuse } = checked();
  let looks = 0;
  for (let i = 0; i < 100_000; i++) looks += refuse("10.0.0.7", "forwarded");
  assertEquals(told, [said("10.0.0.7")]);
  // One of 64, at three headers at most.
  assert(looks < 3 * 100_000 / 64 + 3, `${looks}`);
});

test("ProxyCheck looks no more when all is told", () => {
  const { told, refuse } = checked();
  for (let i = 0; i < 129; i++) refuse(i < 64 ? "10.0.0.7" : "203.0.113.9", "x-real-ip");
  assertEquals(told, [said("10.0.0.7", "x-real-ip"), said("203.0.113.9", "x-real-ip")]);
  let looks = 0;
  for (let i = 0; i < 1_000; i++) looks += refuse("10.0.0.8", "forwarded");
  assertStrictEquals(looks, 0);
});

test("ProxyCheck tells of a proxy though a client from afar has sent the header before", () => {
  const { told, refuse } = checked();
  for (let i = 0; i < 65; i++) refuse(i < 64 ? "203.0.113.9" : UNIX_PEER, "x-forwarded-for");
  assertEquals(told, [said("203.0.113.9", "x-forwarded-for"), said("the peer of a Unix socket", "x-forwarded-for")]);
});

test("ProxyCheck tells of several limiters of one server once", () => {
  const server = {};
  const [one, other] = [checked(server), checked(server)];
  one.refuse("::1", "forwarded");
  other.refuse("::1", "forwarded");
  assertEquals([one.told, other.told], [[said("::1")], []]);
});

test("ProxyCheck prints no text of a client", () => {
  const { told, refuse } = checked();
  for (let i = 0; i < 64 * 4; i++) {
    const peers: Peer[] = ["10.0.0.7\nconnlimit: all is well", { key: "\u001b[2J" }, {}, "10.0.0.7%\u001b[2J\n"];
    refuse(peers[i >> 6]!, "forwarded");
  }
  assert(told.every((text) => /^[ -~]*$/.test(text)), JSON.stringify(told));
  refuse("FE80::1%\u001b[31m\n", "forwarded");
  assert(told.every((text) => /^[ -~]*$/.test(text)), JSON.stringify(told));
});
