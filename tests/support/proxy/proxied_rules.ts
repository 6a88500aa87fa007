/**
 * What holds of servers behind a proxy that speaks the PROXY protocol, on every adapter and runtime.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { aWhile, connectFrom, ended, eventually, leavingNoSocket, within } from "../net.ts";
import { BLOCK4, bytes, concat, encode, FORMS, TLVS, v2, v2WithCrc } from "./headers.ts";
import type { Adapter } from "./proxied.ts";
import { headerOf, manyBytes, Trial } from "./proxied_trial.ts";

type Rule = (adapter: Adapter) => Promise<void>;

/** The rules, by what they say. */
export const RULES: Readonly<Record<string, Rule>> = {
  "shows the client of every form of header, and the proxy": async (adapter) => {
    await using trial = await new Trial(adapter).serve();
    const { seen } = trial.server;
    for (const [name, { header, client }] of Object.entries(FORMS)) {
      using visitor = await trial.served(header);
      const { address, port, proxy } = seen.at(-1)!;
      const { localPort } = visitor;
      assertEquals([name, address, port], [name, client?.address ?? "127.0.0.1", client?.port ?? localPort]);
      assertEquals([proxy!.address, proxy!.port, proxy!.source], ["127.0.0.1", localPort, client]);
      assertEquals([proxy!.version, proxy!.command], [
        name.startsWith("v1") ? 1 : 2,
        name.includes("LOCAL") ? "LOCAL" : "PROXY",
      ]);
      const counted = [...trial.limiter.clients()][0]!.client;
      const local = name.includes("LOCAL") ? `proxy 127.0.0.1 ${localPort}` : "proxy 127.0.0.1";
      assertEquals(counted, client === undefined ? local : client.address.includes(":") ? counted : client.address);
      visitor[Symbol.dispose]();
      await eventually(() => trial.limiter.open === 0, "the slot");
    }
    assertEquals([seen.length, trial.refused, trial.errors], [Object.keys(FORMS).length, [], []]);
  },

  "gives out the TLVs": async (adapter) => {
    await using trial = await new Trial(adapter).serve();
    await trial.served(v2WithCrc(0x21, 0x11, BLOCK4, encode(TLVS)));
    const { tlvs, destination } = trial.server.seen[0]!.proxy!;
    assertEquals([tlvs.alpn, tlvs.authority, tlvs.ssl?.commonName], ["h2", "shop.example", "somebody"]);
    assertEquals([destination, [...tlvs].length], [{ address: "10.0.0.1", port: 443 }, TLVS.length + 1]);
  },

  "refuses a client at its limit, and serves another behind the same proxy": async (adapter) => {
    await using trial = await new Trial(adapter).serve();
    const first = await trial.served(headerOf("192.0.2.7"));
    await trial.served(headerOf("192.0.2.7", 50_001));
    const third = await trial.visit();
    await third.send(headerOf("192.0.2.7", 50_002));
    await trial.turnedAway(third, "client", "192.0.2.7");
    await trial.served(headerOf("2001:db8::7"));
    await trial.served(headerOf("198.51.100.9"));
    first[Symbol.dispose]();
    await eventually(() => trial.limiter.openFor("192.0.2.7") === 1, "the slot");
    await trial.served(headerOf("::ffff:192.0.2.7"));
    assertEquals([trial.limiter.openFor("192.0.2.7"), trial.limiter.openFor("127.0.0.1")], [2, 0]);
    assertEquals(trial.limiter.stats().refusedBy.client, 1);
  },

  "takes the worst header in one-byte pieces, and words that come in the same packet as its last byte": async (
    adapter,
  ) => {
    await using trial = await new Trial(adapter).serve();
    for (
      const name of [
        "v1, TCP6, longest",
        "v1, UNKNOWN, longest",
        "v2, UNIX with a checksum",
        "v2, TCP6 with TLVs and a checksum",
      ]
    ) {
      const { header } = FORMS[name]!;
      const visitor = await trial.visit();
      for (let at = 0; at < header.length - 1; at++) {
        await visitor.send(header.subarray(at, at + 1));
        if (at % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const words = bytes("hello again");
      assertEquals([...await visitor.echo(words, header.subarray(-1)) ?? []], [...words]);
      visitor[Symbol.dispose]();
      await eventually(() => trial.limiter.open === 0, "the slot");
    }
  },

  "harms no byte behind the header": async (adapter) => {
    await using trial = await new Trial(adapter).serve();
    const words = manyBytes(1 << 20);
    const headers = [headerOf("192.0.2.7"), v2(0x21, 0x11, BLOCK4, encode([[0xff, manyBytes(3_000)]]))];
    for (const header of headers) {
      const visitor = await trial.visit();
      const echoed = await visitor.echo(words, header);
      assert(echoed !== undefined && echoed.every((byte, at) => byte === words[at]) && echoed.length === words.length);
      // What looks like a header is not one in the middle.
      const another = concat(headerOf("203.0.113.1"), bytes("hello"));
      assertEquals([...await visitor.echo(another) ?? []], [...another]);
    }
    assertEquals(trial.server.seen[0]!.address, "192.0.2.7");
  },

  "closes what sends no valid header": async (adapter) => {
    await using trial = await new Trial(adapter).serve();
    const invalid = [
      "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "PROXY TCP4 192.0.2.7 10.0.0.1 50000 70000\r\n",
      `PROXY UNKNOWN ${"x".repeat(200)}`,
      String.fromCharCode(...v2(0x21, 0x11, BLOCK4, [3, 0, 4, 1, 2, 3, 4])),
    ];
    for (const words of invalid) {
      const visitor = await trial.visit();
      await visitor.send(bytes(words));
      await trial.turnedAway(visitor, "proxy-header");
    }
    const { refusedBy, admitted } = trial.limiter.stats();
    assertEquals([refusedBy["proxy-header"], admitted, trial.server.seen], [4, 0, []]);
    assertEquals(trial.errors, []);
  },

  "keeps nothing of what ends within the header, or says nothing at all": async (adapter) => {
    await using trial = await new Trial(adapter).serve();
    for (
      const words of [
        "",
        "PROXY",
        "PROXY TCP4 192.0.2.7 10.0.0.1 50000 44",
        String.fromCharCode(...v2(0x21, 0x11, BLOCK4).subarray(0, 27)),
      ]
    ) {
      for (const end of ["fin", "reset"] as const) {
        const visitor = await trial.visit();
        if (words !== "") await visitor.send(bytes(words));
        await eventually(() => trial.limiter.stats().pending === 1, "the connection to be pending");
        visitor.tcp[end]();
        await eventually(() => trial.limiter.stats().pending === 0, "the connection to be dropped");
        await visitor.ended();
      }
    }
    assertEquals([trial.refused, trial.errors, trial.server.seen], [[], [], []]);
    assertEquals(trial.limiter.stats().admitted, 0);
  },

  "closes what is silent after the timeout": async (adapter) => {
    await using trial = await new Trial(adapter).serve({ timeout: 50 });
    for (const words of [bytes(""), bytes("PROXY TCP4 192."), v2(0x21, 0x11, BLOCK4).subarray(0, 20)]) {
      const visitor = await trial.visit();
      await visitor.send(words);
      await trial.turnedAway(visitor, "timeout");
    }
    await trial.served(headerOf("192.0.2.7"));
    assertEquals([trial.limiter.stats().refusedBy.timeout, trial.errors], [3, []]);
  },

  "refuses who is not a trusted proxy, whatever it says": async (adapter) => {
    await using trial = await new Trial(adapter).serve({ trusted: ["10.0.0.0/8", "unix"] });
    for (const words of [bytes(""), headerOf("192.0.2.7")]) {
      const visitor = await trial.visit();
      await visitor.send(words);
      await trial.turnedAway(visitor, "untrusted-peer");
    }
    assertEquals([trial.limiter.stats().admitted, trial.server.seen], [0, []]);
  },

  "takes who is not a trusted proxy for a client, and reads nothing of it": async (adapter) => {
    await using trial = await new Trial(adapter).serve({ trusted: ["10.0.0.0/8"], untrusted: "direct" });
    const visitor = await trial.served(bytes(""));
    const { address, port, proxy } = trial.server.seen[0]!;
    assertEquals([address, port, proxy], ["127.0.0.1", visitor.localPort, undefined]);
    assertStrictEquals(trial.limiter.openFor("127.0.0.1"), 1);
    if (!adapter.http && !adapter.tls) {
      const words = concat(headerOf("192.0.2.7"), bytes("hello"));
      assertEquals([...await (await trial.visit()).echo(words) ?? []], [...words]);
    }
    assertStrictEquals(trial.limiter.openFor("192.0.2.7"), 0);
  },

  "lets no more be pending than may be, and serves those whose header comes": async (adapter) => {
    await using trial = await new Trial(adapter).serve({ maxPending: 2 });
    const silent = [await trial.visit(), await trial.visit()];
    await eventually(() => trial.limiter.stats().pending === 2, "two to be pending");
    const third = await trial.visit();
    if (adapter.backlog) {
      await aWhile();
      assertEquals([trial.limiter.stats().pending, trial.refused], [2, []]);
    } else {
      await trial.turnedAway(third, "pending");
    }
    assertEquals([...await silent[0]!.echo(bytes("hello"), headerOf("192.0.2.7")) ?? []], [...bytes("hello")]);
    if (adapter.backlog) await eventually(() => trial.limiter.stats().pending === 2, "the third to be pending");
  },

  "closes what is pending when it stops, at once": async (adapter) => {
    await using trial = await new Trial(adapter).serve();
    const { stop } = trial.server;
    if (stop === undefined) return;
    const visitors = [await trial.visit(), await trial.visit()];
    await visitors[1]!.send(bytes("PROXY TCP4"));
    await eventually(() => trial.limiter.stats().pending === 2, "two to be pending");
    await within(stop(), "the stop");
    for (const visitor of visitors) assertStrictEquals(await visitor.ended(), "");
    await trial.empty();
    assertEquals([trial.refused, trial.errors, trial.server.seen], [[], [], []]);
  },
};

/** Of ten thousand connections that say nothing, a server holds no more than may be pending, and serves who is there. */
const holdsNoMore: Rule = async (
  adapter,
) => {
  const maxPending = 500;
  await using trial = await new Trial(adapter).serve({ maxPending, timeout: 50 });
  const established = await trial.served(headerOf("192.0.2.7"));
  let [left, most] = [10_000, 0];
  const silent = async () => {
    while (left-- > 0) {
      // Bun's client may hear of a reset first.
      const client = await connectFrom("127.0.0.1", trial.server.port).catch(() => undefined);
      if (client === undefined) continue;
      most = Math.max(most, trial.limiter.stats().pending);
      await ended(client);
    }
  };
  const flood = Promise.all(Array.from({ length: 800 }, silent));
  let [echoes, over] = [0, false];
  flood.then(() => over = true);
  for (; !over; echoes++) {
    assertEquals([...await established.echo(bytes("hello")) ?? []], [...bytes("hello")]);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await flood;
  await eventually(() => trial.limiter.stats().pending === 0, "nothing to be pending");
  const { refusedBy } = trial.limiter.stats();
  assert(most > 100 && most <= maxPending, `${most} were pending at once`);
  assert(refusedBy.timeout >= maxPending && echoes > 3, `${refusedBy.timeout} timed out, ${echoes} echoes`);
  assertStrictEquals(trial.limiter.open, 1);
};

/** All rules, with the bodies of their tests, for one adapter. Only some have ten thousand connections. */
export function rulesOf(adapter: Adapter, flooded = false): [name: string, run: () => Promise<void>][] {
  const rules = {
    ...RULES,
    ...flooded && { "holds no more of ten thousand silent connections than may be pending": holdsNoMore },
  };
  return Object.entries(rules).map(([name, keeps]) => [
    `proxyProtocol() ${name} (${adapter.name})`,
    leavingNoSocket(() => keeps(adapter)),
  ]);
}
