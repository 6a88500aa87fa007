/**
 * Frameworks on Node's servers that the README names: Express, Fastify, and fetch handlers by `@hono/node-server`.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { printed } from "../support/documentation.ts";
import { testUnless } from "../support/test_unless.ts";
import { type Client, connectFrom, ended, eventually, reply } from "../support/net.ts";
import { noIPv6, oneAddress } from "../support/platform.ts";
import { withPackages } from "../support/with_packages.ts";

const [fastifyServer] = printed("Fastify", "docs/runtimes.md");

/** Programs, each of which limits a client to three connections and is given its port. */
const SERVERS = {
  "an application of Express": `
    import express from "express";
    import { limitServer } from "@connlimit/connlimit/node";

    const app = express();
    app.get("/", (_request, response) => response.send("hello"));
    limitServer(app.listen(Number(process.argv[2])), { maxPerClient: 3 });
  `,
  "an application of Fastify": `
    import fastify from "fastify";
    import { limitServer } from "@connlimit/connlimit/node";

    const app = fastify();
    app.get("/", async () => "hello");
    limitServer(app.server, { maxPerClient: 3 });
    await app.listen({ port: Number(process.argv[2]), host: "0.0.0.0" });
  `,
  "an application of Fastify, as printed,": fastifyServer!
    .replace("maxPerClient: 20", "maxPerClient: 3")
    .replace("7000", "Number(process.argv[2])"),
  "a fetch handler by @hono/node-server": `
    import { createServer } from "node:http";
    import { getRequestListener } from "@hono/node-server";
    import { limitServer } from "@connlimit/connlimit/node";

    const server = createServer(getRequestListener(() => new Response("hello")));
    limitServer(server, { maxPerClient: 3 });
    server.listen(Number(process.argv[2]));
  `,
} as const;

/** Asks on a connection that is kept alive. Resolves to the first of the answer, or to nothing where it is closed. */
const ask = (client: Client) => reply(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");

/** Whether it is an answer of the program's, and not a refusal's. */
const served = (answer: string) => answer.startsWith("HTTP/1.1 200 ") && answer.includes("hello");

for (const [name, program] of Object.entries(SERVERS)) {
  for (const runtime of ["Deno", "Bun", "Node"] as const) {
    testUnless(
      oneAddress,
      `limitServer() limits ${name} on ${runtime} to three connections of a client`,
      () =>
        withPackages(program, runtime, async ({ port }) => {
          const clients = await Promise.all([1, 2, 3].map(() => connectFrom("127.0.0.2", port)));
          // Twice, since a connection is counted once for all its requests.
          for (let request = 1; request <= 2; request++) {
            const texts = await Promise.all(clients.map(ask));
            assertEquals(texts.map(served), [true, true, true], texts.join("\n"));
          }
          using fourth = await connectFrom("127.0.0.2", port);
          const nothing = ended(fourth);
          assertStrictEquals(await ask(fourth), "");
          assertStrictEquals(await nothing, "");
          using other = await connectFrom("127.0.0.3", port);
          assert(served(await ask(other)));
          // One that leaves makes room for one other.
          clients.pop()!.fin();
          await eventually(async () => {
            const again = await connectFrom("127.0.0.2", port);
            const admitted = served(await ask(again));
            if (admitted) clients.push(again);
            else again[Symbol.dispose]();
            return admitted;
          }, "a slot to be free");
          // The others were not closed meanwhile, as web servers do to those that are idle for seconds.
          assertEquals((await Promise.all(clients.map(ask))).map(served), [true, true, true]);
          using fifth = await connectFrom("127.0.0.2", port);
          assertStrictEquals(await ask(fifth), "");
          for (const client of clients) client[Symbol.dispose]();
        }),
    );
  }
}

for (const runtime of ["Deno", "Bun", "Node"] as const) {
  testUnless(
    noIPv6,
    `limitServer() limits an application of Fastify, as printed, also at localhost on ${runtime}`,
    () =>
      withPackages(
        // Not everywhere is it the name of both addresses.
        `import dns from "node:dns";
        const { lookup } = dns;
        const both = [{ address: "127.0.0.1", family: 4 }, { address: "::1", family: 6 }];
        dns.lookup = (name, options, callback) =>
          name === "localhost" && options.all ? callback(null, both) : lookup(name, options, callback);
        ${SERVERS["an application of Fastify, as printed,"].replace('"0.0.0.0"', '"localhost"')}
        console.log("listens");`,
        runtime,
        async ({ port, output }) => {
          await eventually(() => output() !== "", "both addresses to have been tried");
          let admitted = 0;
          for (const address of ["127.0.0.1", "::1"]) {
            const clients = await Promise.allSettled([1, 2, 3, 4].map(() => connectFrom(address, port, address)));
            const connected = clients.flatMap((client) => client.status === "fulfilled" ? client.value : []);
            admitted += (await Promise.all(connected.map(ask))).filter(served).length;
            for (const client of connected) client[Symbol.dispose]();
          }
          // At one of the two addresses. Nobody listens at the other.
          assertStrictEquals(admitted, 3);
        },
      ),
  );
}
