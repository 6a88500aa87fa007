/**
 * The servers of docs/seeing.md run as they are printed, except for the port.
 *
 * @module
 */

import { assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { printed } from "../support/documentation.ts";
import { connectFrom, ended, eventually, reply } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";
import { testUnless } from "../support/test_unless.ts";
import { withPackages } from "../support/with_packages.ts";

const [logging] = printed("A log that can be left on", "docs/seeing.md");
const [measured] = printed("Metrics", "docs/seeing.md");
const [withPage, withPassword] = printed("A page", "docs/seeing.md");

for (const runtime of ["Deno", "Bun", "Node"] as const) {
  for (
    const [name, program, lines] of [
      ["that logs refusals", logging!, "connlimit echo: refused 127.0.0.2 (client)\n"],
      ["with metrics", measured!, ""],
    ] as const
  ) {
    testUnless(
      oneAddress,
      `The documentation's server ${name} echoes for ten connections of a client, and refuses the next, on ${runtime}`,
      () =>
        withPackages(
          program.replace("listen(7000)", "listen(Number(process.argv[2]))"),
          runtime,
          async ({ port, output }) => {
            const clients = await Promise.all(Array.from({ length: 10 }, () => connectFrom("127.0.0.2", port)));
            for (const client of clients) assertStrictEquals(await reply(client, "hello"), "hello");
            for (let i = 0; i < 2; i++) {
              using refused = await connectFrom("127.0.0.2", port);
              assertStrictEquals(await ended(refused), "");
            }
            await eventually(() => output().length >= lines.length, "the line");
            assertStrictEquals(output(), lines);
            for (const client of clients) client[Symbol.dispose]();
          },
          { stderr: "pipe" },
        ),
    );
  }
}

for (const runtime of ["Deno", "Bun", "Node"] as const) {
  Deno.test(`The documentation's server with a page shows it to this machine, on ${runtime}`, () =>
    withPackages(
      withPage!.replace("listen(7000)", "listen(0)").replace("listen(9000,", "listen(Number(process.argv[2]),"),
      runtime,
      async ({ port }) => {
        const page = await fetch(`http://localhost:${port}/`);
        assertStringIncludes(await page.text(), "<title>connlimit</title>");
        const stats = await fetch(`http://localhost:${port}/stats.json`);
        assertEquals((await stats.json()).limiters[0].limits.maxPerClient, 10);
        const proxied = await fetch(`http://localhost:${port}/`, { headers: { "x-forwarded-for": "192.0.2.7" } });
        assertEquals([proxied.status, await proxied.text()], [
          403,
          "This page is for loopback only. A proxy has set the header x-forwarded-for.\n",
        ]);
      },
    ));

  Deno.test(`The documentation's page behind a password asks for it, on ${runtime}`, () =>
    withPackages(
      withPassword!.replace("listen(8000)", "listen(Number(process.argv[2]))"),
      runtime,
      async ({ port }) => {
        const get = async (authorization?: string) => {
          const headers = authorization === undefined ? {} : { authorization };
          const response = await fetch(`http://127.0.0.1:${port}/limits/stats.json`, { headers });
          return [response.status, response.headers.get("www-authenticate"), await response.text()];
        };
        assertEquals(await get(), [401, 'Basic realm="limits"', ""]);
        assertEquals(await get(`Basic ${btoa("ops:wrong")}`), [401, 'Basic realm="limits"', ""]);
        const [status, , text] = await get(`Basic ${btoa("ops:secret")}`);
        assertStrictEquals(status, 200);
        assertStringIncludes(String(text), '"name":"web"');
      },
      { env: () => ({ PAGE_PASSWORD: "secret" }) },
    ));
}
