/**
 * The servers of `docs/frameworks/`, as they are printed, except for the port, the limit, and a route that waits. Each is
 * tried by real clients, of which it admits two at a time.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { RuntimeName } from "../../testing/runtimes.ts";
import { oneAddress } from "../support/platform.ts";
import { ROOT } from "../support/with_server.ts";
import { serversOf, withHosted } from "./support/page.ts";
import { byAccount, connections, proxied, requests, socketIo, type Trial, webSockets } from "./support/trials.ts";

const ALL = ["Deno", "Bun", "Node"] as const;
const BY_PROXY = { headers: { "X-Forwarded-For": "203.0.113.1" }, address: "127.0.0.1" };
const NEST = { words: JSON.stringify({ event: "echo", data: "hello" }) };

/** How each server of a page is tried, in their order: on which runtimes, and how. */
const PAGES: Readonly<Record<string, readonly (readonly [on: readonly RuntimeName[], ...trials: Trial[]])[]>> = {
  express: [
    [ALL, connections()],
    [ALL, proxied],
    [ALL, connections(), webSockets()],
    [ALL, byAccount],
  ],
  fastify: [[ALL, connections()], [ALL, proxied], [ALL, connections(), webSockets()]],
  koa: [[ALL, connections()], [ALL, proxied], [ALL, connections(), webSockets()]],
  nestjs: [[ALL, connections()], [ALL, proxied], [ALL, webSockets(NEST)]],
  hono: [
    [["Deno"], requests, webSockets()],
    [["Bun"], requests, webSockets()],
    [ALL, connections(), webSockets()],
    [["Deno", "Bun"], proxied],
    [ALL, proxied],
  ],
  h3: [
    [ALL, connections()],
    [ALL, connections()],
    [["Deno", "Bun"], requests],
    [["Deno", "Bun"], requests],
    [["Node"], connections(), webSockets()],
    [["Bun"], requests, webSockets()],
    [ALL, proxied],
  ],
  elysia: [[["Bun"], requests, webSockets()], [["Deno"], requests], [["Bun"], proxied]],
  ws: [
    [ALL, connections(), webSockets({ path: "/" })],
    [ALL, proxied, webSockets({ path: "/", ...BY_PROXY })],
  ],
  "socket-io": [
    [ALL, socketIo()],
    [ALL, socketIo(BY_PROXY.headers)],
  ],
  oak: [[["Deno"], requests]],
};

/** What gives a program a route `/wait` whose answer waits until it is told to go on. The first that fits does. */
const ROUTES: readonly (readonly [what: RegExp, instead: string])[] = [
  [/^app\.get\("\/", \(_request/m, 'app.get("/wait", (_, response) => held().then(() => response.send("done")));\n$&'],
  [/^app\.get\("\/", \(c\)/m, 'app.get("/wait", (c) => held().then(() => c.text("done")));\n$&'],
  [/^app\.get\("\/", /m, 'app.get("/wait", () => held().then(() => "done"));\n$&'],
  [/^class AppController {\n/m, '$&@Get("wait") wait() { return held().then(() => "done"); }\n'],
  [
    /^app\.use\(\(context\) => void \(context\.body/m,
    'app.use(async (context, next) => { if (context.path === "/wait") await held(); return next(); });\n$&',
  ],
  [
    /^app\.use\(\(context\) => void \(context\.response/m,
    'app.use(async ({ request }, next) => { if (request.url.pathname === "/wait") await held(); return next(); });\n$&',
  ],
  [/fetch: \(\) =>/, 'fetch: async ({ url }) => url.endsWith("/wait") && await held() ||'],
  [/\(_request, response\) =>/, 'async ({ url }, response) => url === "/wait" && await held() ||'],
];

/** A program as a page has it, for a runtime, with a limit of two and with the route. */
function toTry(code: string, runtime: RuntimeName): string {
  assert(code.includes("maxPerClient: "));
  const [what, instead] = ROUTES.find(([what]) => what.test(code)) ?? [];
  const routed = what === undefined ? code : code.replace(what, instead!);
  const served = runtime === "Bun" ? routed.replace(/^Deno\.serve.*\/\/ on Bun: (.*)$/m, "$1") : routed;
  return served.replace(/maxPerClient: \d+/, "maxPerClient: 2");
}

/** It replaces the global `Response`, which other servers of the process would then not know. */
const takesOver = (code: string) => code.includes("@hono/node-server");

for (const [page, trials] of Object.entries(PAGES)) {
  const servers = serversOf(`frameworks/${page}.md`);
  for (const [runtime, alone] of ALL.flatMap((runtime) => [[runtime, false], [runtime, true]] as const)) {
    const chosen = servers
      .map(({ heading, code }, i) => ({ heading, code, trial: trials[i]! }))
      .filter(({ code, trial: [on] }) => on.includes(runtime) && takesOver(code) === alone);
    if (chosen.length === 0) continue;
    Deno.test({
      name: `The servers of docs/frameworks/${page}.md admit two of a client, and not a third, on ${runtime}`,
      ignore: oneAddress !== false,
      fn: (context) =>
        withHosted(chosen.map(({ code }) => toTry(code, runtime)), runtime, async ({ ports, open, go }) => {
          for (const [i, { heading, code, trial: [, ...tries] }] of chosen.entries()) {
            await context.step(`${heading} (${i + 1})`, async () => {
              for (const trial of tries) await trial({ port: ports[i]!, code, open, go });
            });
          }
        }),
    });
  }
}

Deno.test("Every server of docs/frameworks/ is tried", () => {
  const pages = [...Deno.readDirSync(new URL("docs/frameworks/", ROOT))].map(({ name }) => name.replace(/\.md$/, ""));
  assertEquals(pages.sort(), Object.keys(PAGES).sort());
  for (const [page, trials] of Object.entries(PAGES)) {
    assertEquals([page, serversOf(`frameworks/${page}.md`).length], [page, trials.length]);
  }
});
