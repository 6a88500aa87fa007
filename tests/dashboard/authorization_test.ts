/**
 * Who may see a dashboard.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { type Authorize, dashboard } from "@connlimit/connlimit/dashboard";
import { LOCAL, ORIGIN } from "../support/dashboard.ts";
import { printed } from "../support/console.ts";

const limiter = new Limiter();

/** The answer to a request, and its status. */
async function answerTo(authorize: Authorize, request: Request, info: unknown): Promise<[number, string]> {
  using page = dashboard({ chat: limiter }, { authorize });
  const response = await page(request, info);
  return [response.status, await response.text()];
}

const request = (headers: Record<string, string> = {}, origin = ORIGIN) =>
  new Request(`${origin}stats.json`, { headers });

test('"loopback" admits what comes from this machine, however the server tells it', async () => {
  const infos: unknown[] = [
    LOCAL,
    { remoteAddr: { hostname: "127.3.2.1" } },
    { remoteAddr: { hostname: "::1" } },
    { remoteAddr: { hostname: "::ffff:127.0.0.1" } },
    { requestIP: () => ({ address: "127.0.0.1" }) },
    { server: { requestIP: () => ({ address: "::1" }) } },
    { incoming: { socket: { remoteAddress: "127.0.0.1" } } },
  ];
  for (const info of infos) assertEquals((await answerTo("loopback", request(), info))[0], 200, JSON.stringify(info));
  for (const origin of ["http://127.0.0.1:9/", "http://[::1]:9/", "https://localhost/", "http://LOCALHOST/a/b/"]) {
    assertEquals((await answerTo("loopback", request({}, origin), LOCAL))[0], 200, origin);
  }
});

test('"loopback" refuses what may come from elsewhere, and says why', async () => {
  const refused = async (request: Request, info: unknown, why: string) => {
    const [status, text] = await answerTo("loopback", request, info);
    assertEquals(status, 403);
    assertStringIncludes(text, why);
  };
  for (const hostname of ["192.0.2.7", "::2", "::ffff:192.0.2.7", "128.0.0.1", "10.0.0.1", "localhost", ""]) {
    await refused(request(), { remoteAddr: { hostname } }, "The client's address is another one.");
  }
  const untold = "The handler was not told the client's address";
  for (const info of [undefined, null, {}, "127.0.0.1", { remoteAddr: { transport: "unix", path: "/a" } }]) {
    await refused(request(), info, untold);
  }
  await refused(request(), { requestIP: () => null }, untold);
  for (const name of ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"]) {
    await refused(request({ [name]: "127.0.0.1" }), LOCAL, `A proxy has set the header ${name.toLowerCase()}.`);
  }
  for (const origin of ["http://evil.example:9000/", "http://localhost.evil.example/", "http://192.0.2.7/"]) {
    await refused(request({}, origin), LOCAL, "neither localhost nor a loopback address");
  }
});

test("a function admits by true alone, now or later, and may answer by itself", async () => {
  const status = async (authorize: () => unknown) => (await answerTo(authorize as Authorize, request(), undefined))[0];
  assertEquals(await status(() => true), 200);
  assertEquals(await status(() => Promise.resolve(true)), 200);
  for (const no of [false, undefined, null, 1, "yes", {}]) assertEquals(await status(() => no), 403, String(no));
  assertEquals(await status(() => Promise.resolve(1)), 403);
  const challenge = new Response("who?", { status: 401, headers: { "www-authenticate": "Basic" } });
  using page = dashboard({ chat: limiter }, { authorize: () => challenge });
  assertStrictEquals(await page(request()), challenge);
});

test("a function is given the request and what the server tells", async () => {
  const given: unknown[] = [];
  const asked = request({ authorization: "Basic eDp5" });
  await answerTo((...args) => given.push(...args) > 0, asked, LOCAL);
  assertStrictEquals(given[0], asked);
  assertStrictEquals(given[1], LOCAL);
});

test("a function that throws or rejects admits nobody, and is printed once", async () => {
  const failing = () => {
    throw new Error("no database");
  };
  const rejecting = () => Promise.reject(new Error("no database"));
  for (const authorize of [failing, rejecting]) {
    const calls = await printed(async () => {
      for (let i = 0; i < 3; i++) assertEquals((await answerTo(authorize, request(), LOCAL))[0], 403);
    });
    assertEquals(calls.length, 1);
  }
});

test("a script of another site is refused, and a link is not", async () => {
  const status = async (site: string, mode: string) =>
    (await answerTo(() => true, request({ "sec-fetch-site": site, "sec-fetch-mode": mode }), LOCAL))[0];
  assertEquals(await status("cross-site", "cors"), 403);
  assertEquals(await status("same-site", "no-cors"), 403);
  assertEquals(await status("cross-site", "navigate"), 200);
  assertEquals(await status("same-origin", "cors"), 200);
  assertEquals(await status("none", "navigate"), 200);
});
