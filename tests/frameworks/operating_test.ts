/**
 * The servers of docs/operating.md run as they are printed, except for the port: accounts, limits that are reloaded, and
 * servers that stop.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HttpClient } from "../../testing/http_client.ts";
import type { RuntimeName } from "../../testing/runtimes.ts";
import { printed } from "../support/documentation.ts";
import { echoesLate } from "../support/bulk.ts";
import { answers, type Client, connectFrom, eventually, within } from "../support/net.ts";
import { noPosix, oneAddress } from "../support/platform.ts";
import { projectOf } from "../support/published.ts";
import { echo, openTen } from "../support/ten_connections.ts";
import { testUnless } from "../support/test_unless.ts";
import { withProgram } from "../support/with_program.ts";

const PAGE = "docs/operating.md";
const [nodeAccounts] = printed("Accounts on a Node server", PAGE);
const [bunLoopAccounts, bunCallbackAccounts] = printed("Accounts on Bun.listen", PAGE);
const [fetchAccounts] = printed("Accounts on Deno.serve and Bun.serve", PAGE);
const [reloading] = printed("Reloading limits on Node and Bun", PAGE);
const [nodeStops] = printed("Stopping a Node server", PAGE);
const [bunStops] = printed("Stopping Bun.listen", PAGE);
const [bunServeStops] = printed("Stopping Bun.serve", PAGE);

for (
  const [name, program, runtime] of [
    ["Node server", nodeAccounts!, "Node"],
    ["Node server", nodeAccounts!, "Bun"],
    ["Node server", nodeAccounts!, "Deno"],
    ["loop", bunLoopAccounts!, "Bun"],
    ["callbacks", bunCallbackAccounts!, "Bun"],
  ] as const
) {
  testUnless(
    oneAddress,
    `The documentation's ${name} with accounts admits two connections of each, from wherever, on ${runtime}`,
    () =>
      withProgram(program, async ({ port }) => {
        const clients = await Promise.all([2, 3, 4].map((end) => connectFrom(`127.0.0.${end}`, port)));
        const [first, second, third] = clients as [Client, Client, Client];
        const logIn = (client: Client, account: string) => {
          // As much as the loop reads, so that it takes nothing else for a part of the name.
          client.socket.write(account.padEnd(100));
          // In a packet of its own, since the others take all that has come for the name.
          return new Promise((resolve) => setTimeout(resolve, 50)).then(() => echo(client));
        };
        assertEquals([await logIn(first, "alice"), await logIn(second, "alice")], ["hello", "hello"]);
        assertStrictEquals(await logIn(third, "alice"), "");
        using other = await connectFrom("127.0.0.4", port);
        assertStrictEquals(await logIn(other, "bob"), "hello");
        assertStrictEquals(await echoesLate(other, 20), true);
        first[Symbol.dispose]();
        await eventually(async () => {
          using again = await connectFrom("127.0.0.2", port);
          return await logIn(again, "alice") === "hello";
        }, "the account to have room");
        for (const client of clients) client[Symbol.dispose]();
      }, runtime),
  );
}

/** The handler of the programs with fetch handlers. */
const HELLO = '() => new Response("hello\\n")';

/** A program for `Deno.serve`, or with what it says for Bun. */
const served = (program: string, runtime: RuntimeName) =>
  runtime === "Deno" ? program : program.replace(/^Deno\.serve.*\/\/ on Bun: (.*)$/m, "$1");

for (const runtime of ["Deno", "Bun"] as const) {
  Deno.test(`The documentation's fetch handler with accounts answers each of them on ${runtime}`, () => {
    // Its answers wait until there are three requests.
    const waiting = `const all: (() => void)[] = [];
      const three = () => new Promise<void>((go) => { all.push(go); if (all.length === 3) all.map((it) => it()); });`;
    const program = served(fetchAccounts!, runtime)
      .replace(HELLO, `async () => (await three(), new Response("hello"))`) + waiting;
    return withProgram(program, async ({ port }) => {
      const status = async (account: string) => {
        using client = await HttpClient.connect(port, "127.0.0.1");
        client.send("GET /", `Authorization: ${account}`);
        return (await client.answer()).status;
      };
      const held = [status("alice"), status("alice")];
      await eventually(async () => {
        using client = await HttpClient.connect(port, "127.0.0.1");
        client.send("GET /", "Authorization: alice");
        return (await client.answer()).status === 429;
      }, "the account to be full");
      assertEquals([await status("bob"), ...await Promise.all(held)], [200, 200, 200]);
    }, runtime);
  });
}

for (const runtime of ["Node", "Bun"] as const) {
  testUnless(
    noPosix,
    `The documentation's Node server takes other limits from a file, and keeps those it has if it is wrong, on ${runtime}`,
    () =>
      withProgram(
        reloading!,
        async ({ port, program, output }) => {
          const file = `${await projectOf(runtime)}/limits.json`;
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
        runtime,
        { stderr: "pipe" },
      ),
  );

  testUnless(
    noPosix,
    `The documentation's web server stops when its clients have gone, on ${runtime}`,
    () =>
      withProgram(nodeStops!, async ({ port, program, output }) => {
        // Half a request, which is in flight.
        using client = await HttpClient.connect(port, "127.0.0.1");
        client.write("GET / HTTP/1.1\r\n");
        using other = await HttpClient.ask(port, "GET /");
        assertStrictEquals((await other.answer()).status, 200);
        program.kill("SIGTERM");
        await eventually(async () => !await answers(port), "the server to stop listening");
        client.write("Host: localhost\r\nConnection: close\r\n\r\n");
        assertStrictEquals((await client.answer()).status, 200);
        other.fin();
        assertStrictEquals((await within(program.ended, "the server to end")).code, 0);
        await eventually(() => output() !== "", "the line");
        assertStrictEquals(output(), "0 connections had to be closed\n");
      }, runtime),
  );
}

testUnless(
  oneAddress || noPosix,
  "The documentation's loop stops when its clients have gone, on Bun",
  () =>
    withProgram(bunStops!, async ({ port, program, output }) => {
      const clients = await openTen(port);
      program.kill("SIGTERM");
      await eventually(async () => !await answers(port), "the server to stop listening");
      assertStrictEquals(await echo(clients[0]!), "hello");
      for (const client of clients) client.fin();
      assertStrictEquals((await within(program.ended, "the server to end")).code, 0);
      await eventually(() => output() !== "", "the line");
      assertStrictEquals(output(), "0 connections had to be closed\n");
    }, "Bun"),
);

testUnless(noPosix, "The documentation's Bun.serve answers requests in flight before it stops", () =>
  withProgram(
    bunServeStops!.replace(
      HELLO,
      `async () => { console.log("in flight"); await Bun.sleep(500); return new Response("hello"); }`,
    ),
    async ({ port, program, output }) => {
      using client = await HttpClient.ask(port, "GET /");
      await eventually(() => output() === "in flight\n", "the request");
      program.kill("SIGTERM");
      await eventually(async () => !await answers(port), "the server to stop listening");
      assertStrictEquals((await client.answer()).status, 200);
      client.fin();
      assertStrictEquals((await within(program.ended, "the server to end")).code, 0);
      await eventually(() => output().includes("given up"), "the line");
      assertStrictEquals(output(), "in flight\n0 requests had to be given up\n");
    },
    "Bun",
  ));
