/**
 * What a dashboard answers.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { dashboard, type LimiterLike } from "@connlimit/connlimit/dashboard";
import { MemoryStore, StoreLimiter } from "@connlimit/connlimit/shared";
import { printed } from "../support/console.ts";
import { explanationOf, get, messages, snapshotOf } from "../support/dashboard.ts";
import { eventually } from "../../testing/net.ts";

const OPEN = { authorize: () => true } as const;

/** Held here, since a dashboard does not hold its limiters. */
const idle = new Limiter();

/** The source of a style or a script, as a policy names it. */
async function hash(source: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(source));
  return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`;
}

test("The page is one response of less than 60 kB, whose policy allows its own style and script and nothing else", async () => {
  using page = dashboard({ chat: idle }, OPEN);
  const response = await get(page, "");
  const html = await response.text();
  assert(html.length < 60_000, `${html.length} characters`);
  assert(new TextEncoder().encode(html).length < 60_000);
  const parts = (name: string) => [...html.matchAll(new RegExp(`<${name}[^>]*>([^]*?)</${name}>`, "g"))];
  assertEquals([parts("style").length, parts("script").length], [1, 1]);
  const policy = response.headers.get("content-security-policy")!;
  assertEquals(policy.split("; "), [
    "default-src 'none'",
    `style-src ${await hash(parts("style")[0]![1]!)}`,
    `script-src ${await hash(parts("script")[0]![1]!)}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]);
  // The name of SVG's elements is the one address in it.
  const own = html.replace("http://www.w3.org/2000/svg", "");
  assertEquals(own.match(/https?:|\/\/[a-z]| style=| on[a-z]+=|innerHTML|insertAdjacent|document\.write/g), null);
  assertEquals([...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url), ["data:,", "stats.json"]);
});

test("Nothing that a dashboard answers is stored, sniffed, framed or told to other sites", async () => {
  using page = dashboard({ chat: idle }, OPEN);
  for (const path of ["", "stats.json", "events", "explain?peer=192.0.2.7", "explain", "a.png"]) {
    const { headers, body } = await get(page, path);
    await body?.cancel();
    assertEquals(
      ["cache-control", "x-content-type-options", "referrer-policy", "x-frame-options"].map((name) =>
        headers.get(name)
      ),
      ["no-store", "nosniff", "no-referrer", "DENY"],
      path,
    );
    assertEquals(headers.get("access-control-allow-origin"), null);
  }
});

test("The last segment of the path says what is asked for, wherever the dashboard is", async () => {
  using page = dashboard({ chat: idle }, OPEN);
  const typeOf = async (path: string) => {
    const { status, headers, body } = await get(page, path);
    await body?.cancel();
    return `${status} ${headers.get("content-type")}`;
  };
  for (const folder of ["", "limits/", "a/b/c/"]) {
    assertEquals(await typeOf(folder), "200 text/html; charset=utf-8");
    assertEquals(await typeOf(`${folder}stats.json`), "200 application/json");
    assertEquals(await typeOf(`${folder}events`), "200 text/event-stream");
    assertEquals(await typeOf(`${folder}explain?peer=::1`), "200 application/json");
    assertEquals(await typeOf(`${folder}favicon.ico`), "404 text/plain; charset=utf-8");
  }
  assertEquals(await typeOf("limits"), "200 text/html; charset=utf-8");
});

test("Only GET and HEAD are answered, and HEAD without a body or a viewer", async () => {
  using page = dashboard({ chat: idle }, { ...OPEN, maxViewers: 1 });
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    const response = await get(page, "stats.json", { method });
    assertEquals([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
    await response.text();
  }
  for (const path of ["", "stats.json", "events", "events"]) {
    const { status, body } = await get(page, path, { method: "HEAD" });
    assertEquals([status, body], [200, null]);
  }
});

test("stats.json has the counters, the limits and the clients of each limiter", async () => {
  const chat = new Limiter({ maxPerClient: 2, networks: { "10.0.0.0/8": { maxPerClient: 5 } } });
  const api = new Limiter({ maxPerClient: Infinity, maxTotal: 7 });
  using page = dashboard({ chat, api }, OPEN);
  for (let i = 0; i < 4; i++) chat.tryAccept("192.0.2.7");
  for (const peer of ["10.1.2.3", "2001:db8::1", { key: "alice" }, { remoteAddr: { transport: "unix" } }]) {
    chat.accept(peer);
  }
  api.accept("192.0.2.7");
  const { time, limiters: [first, second, ...others] } = await snapshotOf(page);
  assert(Math.abs(Date.now() - time) < 60_000);
  assertEquals(others, []);
  assertEquals([first!.name, second!.name], ["chat", "api"]);
  assertEquals(first!.stats, chat.stats());
  assertEquals(first!.top!.refused, [{ client: "192.0.2.7", refused: 2, error: 0, reason: "client" }]);
  assertEquals(first!.top!.open[0], { client: "192.0.2.7", open: 2, max: 2 });
  assertEquals(
    Object.fromEntries(first!.top!.open.map(({ client, max }) => [client, max])),
    { "192.0.2.7": 2, "10.1.2.3": 5, "2001:db8::/64": 2, "alice": 2, "unix": 2 },
  );
  assertEquals(second!.top!.open, [{ client: "192.0.2.7", open: 1, max: null }]);
  assertEquals([first!.limits.networkCount, second!.limits.maxPerClient, second!.limits.maxTotal], [1, null, 7]);
});

test("stats.json has no more than fifty rules", async () => {
  const networks = Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [`10.0.${i}.0/24`, { maxPerClient: i + 1 }]),
  );
  const chat = new Limiter({ networks });
  using page = dashboard({ chat }, OPEN);
  const [{ limits }] = (await snapshotOf(page)).limiters as [never];
  assertEquals([Object.keys(limits["networks"]).length, limits["networkCount"]], [50, 200]);
  assertEquals(Object.keys(chat.limits.networks).length, 200);
});

test("explain says what the limiter would answer to an address, a network, a key and a Unix socket", async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  using page = dashboard({ other: idle, chat: limiter }, OPEN);
  for (const peer of ["2001:db8::1", { key: "alice" }, { remoteAddr: { transport: "unix" } }]) limiter.accept(peer);
  const reason = async (query: Record<string, string>) =>
    (await explanationOf(page, { limiter: "chat", ...query })).reason;
  assertEquals(await explanationOf(page, { limiter: "chat", peer: "2001:db8::2" }), limiter.explain("2001:db8::2"));
  for (const peer of ["2001:db8::/64", " 2001:db8::3 ", "unix"]) assertEquals(await reason({ peer }), "client", peer);
  assertEquals(await reason({ key: "alice" }), "client");
  assertEquals([await reason({ key: "bob" }), await reason({ peer: "192.0.2.0/24" })], [null, null]);
  assertEquals(await reason({ peer: "nobody" }), "unknown-address");
  assertEquals((await explanationOf(page, { peer: "2001:db8::1" })).reason, null, "the first limiter's answer");
  assertEquals(limiter.stats().refused, 0, "nothing was counted");
});

test("explain names what is wrong with a question", async () => {
  using page = dashboard({ chat: idle }, OPEN);
  const error = async (query: string) => {
    const response = await get(page, `explain?${query}`);
    return [response.status, (await response.json()).error];
  };
  assertEquals(await error(""), [400, "Give either peer or key."]);
  assertEquals(await error("peer=::1&key=a"), [400, "Give either peer or key."]);
  assertEquals(await error("limiter=other&peer=::1"), [404, "There is no limiter of this name."]);
});

test("events begin with what is there, and go on", async () => {
  const limiter = new Limiter();
  using page = dashboard({ chat: limiter }, { ...OPEN, interval: 250 });
  const response = await get(page, "events");
  let last = 0;
  for await (const { limiters: [chat] } of messages(response)) {
    if (last === 0) limiter.accept("192.0.2.7");
    if (last++ > 1 && chat!.stats.open === 1 && chat!.history.open.at(-1) === 1) break;
    assert(last < 100, "the connection should be in one of the first messages");
  }
});

test("A shared limiter shows what is open everywhere, and the clients that are here", async () => {
  await using limiter = new StoreLimiter({ maxPerClient: 2 }, new MemoryStore());
  using page = dashboard({ chat: limiter }, OPEN);
  using _ = await limiter.accept("192.0.2.7");
  const [shown] = (await snapshotOf(page)).limiters;
  assertEquals((shown!.stats as ReturnType<StoreLimiter["stats"]>).status, "up");
  assertEquals(shown!.top!.open, [{ client: "192.0.2.7", open: 1, max: 2 }]);
  assertEquals((await explanationOf(page, { peer: "192.0.2.7" })).admitted, true);
});

test("A limiter of the user's own that fails is left out, printed once, and ends nothing", async () => {
  let failing = false;
  const limiter = new Limiter();
  const own: LimiterLike = {
    limits: limiter.limits,
    stats() {
      if (failing) throw new Error("no database");
      return limiter.stats();
    },
  };
  using page = dashboard({ own, chat: limiter }, { ...OPEN, interval: 250 });
  assertEquals((await snapshotOf(page)).limiters.map(({ name, top }) => [name, top === null]), [
    ["own", true],
    ["chat", false],
  ]);
  failing = true;
  const calls = await printed(async () => {
    await eventually(async () => (await snapshotOf(page)).limiters.length === 1, "the limiter to be left out");
    for await (const { limiters } of messages(await get(page, "events"))) {
      assertEquals(limiters.map(({ name }) => name), ["chat"]);
      if (limiters[0]!.history.open.length > 3) break;
    }
  });
  assertEquals(calls.length, 1);
  assertStringIncludes(String(calls[0]![0]), "a hook failed");
  const response = await get(page, "explain?limiter=own&peer=::1");
  assertEquals([response.status, await response.json()], [404, {
    error: "This limiter does not explain its answers.",
  }]);
  assertStrictEquals(own.local, undefined, "it is held until here");
});
