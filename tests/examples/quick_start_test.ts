/**
 * What a newcomer pastes: the servers as the README and `docs/` print them, and the first example, in a project that has
 * the package as it is published. Blocks that check themselves are run by `deno test --doc`.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { printed as printedServers, serversIn, texts } from "../support/documentation.ts";
import { testUnless } from "../support/test_unless.ts";
import { echoesLate } from "../support/bulk.ts";
import { answers, type Client, connectFrom, eventually, reply, within } from "../support/net.ts";
import { noPosix, oneAddress } from "../support/platform.ts";
import { projectOf } from "../support/published.ts";
import { withProgram } from "../support/with_program.ts";
import { echo, openTen, openTenAndReset } from "../support/ten_connections.ts";
import { HttpClient } from "../../testing/http_client.ts";
import { ROOT } from "../support/with_server.ts";

const example = await Deno.readTextFile(new URL("examples/echo.ts", ROOT));

/** The servers that are run below, by `behind_a_proxy_test.ts`, or by `frameworks_test.ts`. */
const run = new Set<string>();

function printed(heading: string, page?: string): string[] {
  const servers = printedServers(heading, page);
  for (const server of servers) run.add(server);
  return servers;
}

const [nodeServer] = printed("Node servers");
const [quickStart] = printed("Accept loops");
const [fetchHandler] = printed("Fetch handlers");
const [watching] = printed("Watching");
const [bunCallbacks] = printed("Bun.listen with callbacks", "docs/runtimes.md");
const [bunListen] = printed("Bun.listen as an accept loop", "docs/runtimes.md");
const [byAccount] = printed("Several limiters for one connection", "docs/limiter.md");
const [reconfigured] = printed("Reloading limits on a signal", "docs/limits.md");
const [answering] = printed("Answers to refused clients", "docs/limits.md");
const [timed] = printed("Deadlines", "docs/deadlines.md");
const [fetchBehindProxy] = printed("HTTP requests", "docs/behind-a-proxy.md");
const [nodeBehindProxy] = printed("Node servers", "docs/behind-a-proxy.md");
// By `proxy_protocol_test.ts`.
for (const heading of ["The PROXY protocol", "Where the header can be read"]) {
  printed(heading, "docs/behind-a-proxy.md");
}
printed("Fastify", "docs/runtimes.md");
// `seeing_test.ts` runs them.
for (const heading of ["A log that can be left on", "Metrics", "A page"]) printed(heading, "docs/seeing.md");
// `shared_recipes_test.ts` and `deno task stress:glide` run them.
printed("Clients of Redis and Valkey", "docs/shared.md");
// `front_and_worker_test.ts` runs it.
printed("Sockets sent to another process", "docs/runtimes.md");

/** The accept loop, with what the README says to write on Bun. */
const onBun = `import { listen } from "@connlimit/connlimit/bun";\n${
  quickStart!.replace("Deno.listen({ port: 7000 })", "listen({ port: 7000 })")
}`;

Deno.test("Every server that the documentation prints is run", () => {
  // `tests/frameworks` runs these, most of which need packages that nothing else here does.
  const pages = [...texts].filter(([page]) =>
    !/^docs\/(?:frameworks\/|coming-from|gotchas|operating|protocols)/.test(page)
  );
  const all = pages.flatMap(([page, text]) => serversIn(text).map((server) => [page, server]));
  assertEquals(all.filter(([, server]) => !run.has(server!)), []);
});

for (
  const [name, program, runtime] of [
    ["The README's quick start", quickStart!, "Deno"],
    ["examples/echo.ts", example, "Deno"],
    ["The README's quick start, changed as it says,", onBun, "Bun"],
    ["The documentation's callbacks on Bun", bunCallbacks!, "Bun"],
    ["The documentation's loop over Bun.listen()", bunListen!, "Bun"],
    ["The documentation's loop with deadlines", timed!, "Deno"],
  ] as const
) {
  testUnless(
    oneAddress,
    `${name} echoes for ten connections of a client, refuses the eleventh, and survives resets and late readers`,
    () =>
      withProgram(program, async ({ port }) => {
        const clients = await openTenAndReset(port);
        using other = await connectFrom("127.0.0.4", port);
        assertStrictEquals(await echo(other), "hello");
        assertStrictEquals(await echoesLate(other, 20), true);
        // The slots of those that were reset are free again.
        await eventually(async () => {
          using again = await connectFrom("127.0.0.2", port);
          return await echo(again) === "hello";
        }, "a slot to be free");
        for (const client of clients) client[Symbol.dispose]();
      }, runtime),
  );
}

testUnless(
  oneAddress,
  "The documentation's server says 421 to the eleventh connection of a client",
  () =>
    withProgram(answering!, async ({ port }) => {
      const clients = await openTen(port, "421 4.7.0 too many connections\r\n");
      for (const client of clients) client[Symbol.dispose]();
    }),
);

for (const runtime of ["Deno", "Bun", "Node"] as const) {
  testUnless(
    oneAddress,
    `The README's web server says 429 to the twenty-first connection of a client, on ${runtime}`,
    () =>
      withProgram(nodeServer!, async ({ port }) => {
        const clients = await Promise.all(Array.from({ length: 20 }, () => connectFrom("127.0.0.2", port)));
        for (const client of clients) assert((await get(client)).endsWith("hello\n"));
        using refused = await connectFrom("127.0.0.2", port);
        assert((await get(refused)).startsWith("HTTP/1.1 429 "));
        using other = await connectFrom("127.0.0.3", port);
        assert((await get(other)).endsWith("hello\n"));
        for (const client of clients) client[Symbol.dispose]();
      }, runtime),
  );
}

for (const runtime of ["Deno", "Bun"] as const) {
  Deno.test(`The README's fetch handler answers on ${runtime}`, () => {
    const program = runtime === "Deno"
      ? fetchHandler!
      : fetchHandler!.replace(/^Deno\.serve.*\/\/ on Bun: (.*)$/m, "$1");
    assert(program.includes(`\n${runtime}.serve(`));
    return withProgram(program, async ({ port }) => {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      assertEquals([response.status, await response.text()], [200, "hello\n"]);
    }, runtime);
  });
}

for (
  const [name, program, runtime] of [
    ["fetch handler", fetchBehindProxy!, "Deno"],
    ["web server", nodeBehindProxy!, "Deno"],
    ["web server", nodeBehindProxy!, "Bun"],
    ["web server", nodeBehindProxy!, "Node"],
  ] as const
) {
  testUnless(
    oneAddress,
    `The documentation's ${name} behind a proxy goes by what the proxy says, and answers nobody else, on ${runtime}`,
    () =>
      withProgram(program, async ({ port }) => {
        const statusFor = async (from: string, ...headers: string[]) => {
          using client = await HttpClient.connect(port, from);
          return client.send("GET /", ...headers), (await client.answer()).status;
        };
        for (let i = 0; i < 21; i++) {
          assertStrictEquals(await statusFor("127.0.0.1", "X-Forwarded-For: made up, 192.0.2.7"), 200);
        }
        assertStrictEquals(await statusFor("127.0.0.1"), 200); // the proxy's own, such as a health check
        // Somebody who comes past the proxy.
        assertStrictEquals(await statusFor("127.0.0.2", "X-Forwarded-For: 192.0.2.7"), 403);
      }, runtime),
  );
}

/** Sends a request. Resolves to the first of the answer. */
const get = (client: Client) => reply(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");

testUnless(
  oneAddress,
  "The documentation's server with accounts admits two connections of each, from wherever",
  () =>
    withProgram(byAccount!, async ({ port }) => {
      const clients = await Promise.all([2, 3, 4].map((end) => connectFrom(`127.0.0.${end}`, port)));
      const [first, second, third] = clients as [Client, Client, Client];
      const logIn = (client: Client, account: string) => {
        // As much as the server reads, so that it takes nothing else for a part of the name.
        client.socket.write(account.padEnd(100));
        return echo(client);
      };
      assertEquals([await logIn(first, "alice"), await logIn(second, "alice")], ["hello", "hello"]);
      assertStrictEquals(await logIn(third, "alice"), "");
      using other = await connectFrom("127.0.0.4", port);
      assertStrictEquals(await logIn(other, "bob"), "hello");
      first[Symbol.dispose]();
      await eventually(async () => {
        using again = await connectFrom("127.0.0.2", port);
        return await logIn(again, "alice") === "hello";
      }, "the account to have room");
      for (const client of clients) client[Symbol.dispose]();
    }),
);

testUnless(
  noPosix,
  "The documentation's server takes other limits from a file, and keeps those it has if the file is wrong",
  () =>
    withProgram(
      reconfigured!,
      async ({ port, program, output }) => {
        const file = `${await projectOf("Deno")}/limits.json`;
        const reload = async (limits: string) => {
          await Deno.writeTextFile(file, limits);
          program.kill("SIGHUP");
        };
        const isServed = async () => {
          using client = await connectFrom("127.0.0.1", port);
          return await echo(client) === "hello";
        };
        assert(await isServed());
        await reload('{ "maxPerClient": 0 }');
        await eventually(async () => !await isServed(), "the client to be refused");
        await reload('{ "maxPerClient": -1 }');
        await eventually(() => output().includes("maxPerClient must be a whole number"), "the error to be printed");
        assert(!await isServed());
        await reload("{}");
        await eventually(isServed, "the client to be served");
      },
      "Deno",
      { permissions: ["--allow-read=limits.json"], stderr: "pipe" },
    ),
);

testUnless(
  oneAddress || noPosix,
  "The README's server that is watched tells whom it refuses, and stops gracefully",
  () =>
    withProgram(
      watching!,
      async ({ port, program, output }) => {
        const clients = await openTen(port);
        program.kill("SIGTERM");
        await eventually(async () => !await answers(port), "the server to stop listening");
        assertStrictEquals(await echo(clients[0]!), "hello");
        for (const client of clients) client.fin();
        assertStrictEquals((await within(program.ended, "the server to end")).code, 0);
        const lines = ["connlimit: refused 127.0.0.2 (client)", "0 connections had to be closed", ""];
        await eventually(() => output().split("\n").length >= lines.length, "all to be printed");
        assertEquals(output().split("\n"), lines);
      },
      "Deno",
      { stderr: "pipe" },
    ),
);
