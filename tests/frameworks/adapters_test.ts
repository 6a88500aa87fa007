/**
 * `limitRequests()` under adapters that hand no second argument of `Deno.serve` or `Bun.serve` to their handlers: the address
 * is that of the socket below, and a slot is held until the response has ended.
 *
 * @module
 */

import { assert, assertStrictEquals } from "@std/assert";
import { HttpClient } from "../../testing/http_client.ts";
import { oneAddress } from "../support/platform.ts";
import { withHosted } from "./support/page.ts";
import { requests } from "./support/trials.ts";

const HANDLER = `
import { limitRequests } from "@connlimit/connlimit/http";
// Deno takes the end of bytes for the end of their response as soon as it has them.
const endless = () => new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(1 << 20)) });
const fetch = limitRequests({ maxPerClient: 2 }, async ({ url }: Request): Promise<Response> => {
  if (url.endsWith("/wait")) await (globalThis as any).held();
  return new Response(url.endsWith("/endless") ? endless() : "hello\\n");
});
`;

const ADAPTERS = {
  "@hono/node-server": `import { serve } from "@hono/node-server";\n${HANDLER}
serve({ fetch, port: 7000, hostname: "127.0.0.1" });`,
  "@hono/node-server with Hono": `import { serve } from "@hono/node-server";\nimport { Hono } from "hono";
${HANDLER.replace("const fetch", "const limited")}
const app = new Hono();
app.all("*", (c) => limited(c.req.raw, c.env));
serve({ fetch: app.fetch, port: 7000, hostname: "127.0.0.1" });`,
  "srvx": `import { serve } from "srvx";\n${HANDLER}
serve({ fetch, port: 7000, hostname: "127.0.0.1" });`,
  "srvx of Node": `import { serve } from "srvx/node";\n${HANDLER}
serve({ fetch, port: 7000, hostname: "127.0.0.1", trustProxy: true });`,
};

for (const [name, code] of Object.entries(ADAPTERS)) {
  for (const runtime of ["Node", "Deno", "Bun"] as const) {
    Deno.test({
      name: `limitRequests() limits each client's requests under ${name} on ${runtime}`,
      ignore: oneAddress !== false,
      fn: () =>
        withHosted([code], runtime, async ({ ports, open, go }) => {
          const port = ports[0]!;
          await requests({ port, code, open, go });

          // A header makes nobody another client.
          const spoofing = await Promise.all([1, 2, 3].map(async (i) => {
            const client = await HttpClient.connect(port, "127.0.0.2");
            client.send("GET /wait", `X-Forwarded-For: 203.0.113.${i}`);
            return client;
          }));
          await open(2);
          const statuses = spoofing.map(async (client) => (await client.answer()).status);
          assertStrictEquals(await Promise.race(statuses), 429);
          await go();
          assertStrictEquals((await Promise.all(statuses)).filter((status) => status === 200).length, 2);
          for (const client of spoofing) client[Symbol.dispose]();
          await open(0);

          // A client that does not read its answer, and then leaves.
          const slow = await HttpClient.connect(port, "127.0.0.2");
          slow.socket.pause();
          slow.send("GET /endless");
          await open(1);
          slow.reset();
          await open(0);

          // A client that leaves while its handler is at work.
          const left = await HttpClient.connect(port, "127.0.0.2");
          left.send("GET /wait");
          await open(1);
          left.reset();
          await new Promise((resolve) => setTimeout(resolve, 100));
          await open(1);
          await go();
          await open(0);
        }),
    });
  }
}

Deno.test("limitRequests() says why it refuses everyone under an adapter that hands out no address", async () => {
  const errors: string[] = [];
  const { limitRequests } = await import("@connlimit/connlimit/http");
  const limited = limitRequests({}, () => new Response("ok"), { onError: (error) => errors.push(String(error)) });
  for (const info of [undefined, {}, { waitUntil() {} }, { incoming: {} }]) {
    const response = (limited as (request: Request, info: unknown) => Response)(new Request("http://localhost/"), info);
    assertStrictEquals(response.status, 403);
  }
  assertStrictEquals(errors.length, 1);
  assert(errors[0]!.endsWith("(see docs/checks.md#address-missing)"), errors[0]);
});
