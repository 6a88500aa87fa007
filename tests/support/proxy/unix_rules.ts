/**
 * What holds of servers whose proxy speaks the PROXY protocol over a Unix socket, on every adapter and runtime.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Folder } from "../folder.ts";
import { eventually, leavingNoSocket, within } from "../net.ts";
import { BLOCK4, bytes, concat, FORMS, v2 } from "./headers.ts";
import type { Adapter } from "./proxied.ts";
import { headerOf, manyBytes, Trial } from "./proxied_trial.ts";

const trusted = ["unix"];

type Rule = (trial: Trial, adapter: Adapter) => Promise<void>;

const RULES: Readonly<Record<string, Rule>> = {
  "shows the client, and limits it": async (trial) => {
    await trial.serve({ trusted });
    const first = await trial.served(headerOf("192.0.2.7"));
    await trial.served(headerOf("192.0.2.7", 50_001));
    const third = await trial.visit();
    await third.send(headerOf("192.0.2.7", 50_002));
    await trial.turnedAway(third, "client", "192.0.2.7");
    await trial.served(headerOf("2001:db8::7"));
    first[Symbol.dispose]();
    await eventually(() => trial.limiter.openFor("192.0.2.7") === 1, "the slot");
    await trial.served(headerOf("192.0.2.7", 50_003));
    const seen = trial.server.seen.map(({ address, port, proxy }) => [address, port, proxy!.address, proxy!.port]);
    assertEquals(seen, [
      ["192.0.2.7", 50_000, "unix", undefined],
      ["192.0.2.7", 50_001, "unix", undefined],
      ["2001:db8::7", 50_000, "unix", undefined],
      ["192.0.2.7", 50_003, "unix", undefined],
    ]);
    assertEquals([trial.limiter.openFor("192.0.2.7"), trial.limiter.stats().refusedBy.client, trial.errors], [
      2,
      1,
      [],
    ]);
  },

  "counts health checks each for itself, and clients without an address together": async (trial) => {
    await trial.serve({ trusted });
    for (let i = 0; i < 4; i++) await trial.served(v2(0x20, 0x11, BLOCK4));
    for (let i = 0; i < 2; i++) await trial.served(bytes("PROXY UNKNOWN\r\n"));
    const counted = [...trial.limiter.clients()].map(({ client, open }) => `${client} ${open}`).sort();
    assertEquals(counted.map((text) => text.replace(/#\d+/, "#")), [
      ...Array(4).fill("proxy unix # 1"),
      "proxy unix 2",
    ]);
    assertEquals(new Set(counted).size, 5);
    const visitor = await trial.visit();
    await visitor.send(bytes("PROXY UNKNOWN\r\n"));
    await trial.turnedAway(visitor, "client", undefined, 'key "proxy unix"');
    assertEquals(trial.server.seen.map(({ proxy }) => proxy!.source), Array(6).fill(undefined));
  },

  "harms no byte, in pieces and at once": async (trial) => {
    await trial.serve({ trusted });
    const { header } = FORMS["v2, TCP6 with TLVs and a checksum"]!;
    const slow = await trial.visit();
    for (let at = 0; at < header.length - 1; at++) await slow.send(header.subarray(at, at + 1));
    const words = manyBytes(1 << 20);
    for (const visitor of [slow, await trial.visit()]) {
      const echoed = await visitor.echo(words, visitor === slow ? header.subarray(-1) : header);
      assert(echoed !== undefined && echoed.every((byte, at) => byte === words[at]) && echoed.length === words.length);
    }
  },

  "refuses peers where Unix sockets are not trusted, whatever they say": async (trial) => {
    await trial.serve({ trusted: ["127.0.0.1", "::1", "10.0.0.0/8"] });
    for (const words of [bytes(""), headerOf("192.0.2.7")]) {
      const visitor = await trial.visit();
      await visitor.send(words);
      await trial.turnedAway(visitor, "untrusted-peer");
    }
    assertEquals([trial.limiter.stats().admitted, trial.server.seen, trial.errors], [0, [], []]);
  },

  "takes peers for one client where Unix sockets are not trusted and may come directly": async (trial, adapter) => {
    await trial.serve({ trusted: ["127.0.0.1"], untrusted: "direct" });
    const first = await trial.served(bytes(""));
    if (!adapter.http && !adapter.tls) {
      const words = concat(headerOf("192.0.2.7"), bytes("hello"));
      assertEquals([...await first.echo(words) ?? []], [...words]);
    }
    await trial.served(bytes(""));
    assertEquals([...trial.limiter.clients()], [{ client: "unix", open: 2 }]);
    await trial.turnedAway(await trial.visit(), "client");
    assertEquals(
      trial.server.seen.map(({ address, proxy }) => [address, proxy]),
      Array(2).fill([undefined, undefined]),
    );
  },

  "keeps nothing of what is silent, ends within the header or has a wrong one": async (trial) => {
    await trial.serve({ trusted, timeout: 50 });
    const silent = await trial.visit();
    await trial.turnedAway(silent, "timeout");
    const wrong = await trial.visit();
    await wrong.send(bytes("GET / HTTP/1.1\r\n\r\n"));
    await trial.turnedAway(wrong, "proxy-header");
    const short = await trial.visit();
    await short.send(bytes("PROXY TCP4 192."));
    short.tcp.fin();
    await short.ended();
    await eventually(() => trial.limiter.stats().pending === 0, "the connection to be dropped");
    assertEquals([trial.limiter.stats().admitted, trial.refused, trial.errors], [0, [], []]);
  },

  "closes what is pending when it stops, at once": async (trial) => {
    await trial.serve({ trusted });
    const { stop } = trial.server;
    if (stop === undefined) return;
    const visitor = await trial.visit();
    await eventually(() => trial.limiter.stats().pending === 1, "one to be pending");
    await within(stop(), "the stop");
    assertEquals([await visitor.ended(), trial.refused, trial.errors], ["", [], []]);
  },
};

/** All rules, with the bodies of their tests, for one adapter. */
export function unixRulesOf(adapter: Adapter): [name: string, run: () => Promise<void>][] {
  return Object.entries(RULES).map(([name, keeps]) => [
    `proxyProtocol() over a Unix socket ${name} (${adapter.name})`,
    leavingNoSocket(async () => {
      using folder = new Folder();
      await using trial = new Trial(adapter, folder.file());
      await keeps(trial, adapter);
    }),
  ]);
}
