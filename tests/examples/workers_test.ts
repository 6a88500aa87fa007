/**
 * The examples of one limit over several workers and processes run by the commands that they print.
 *
 * @module
 */

import { setTimeout as wait } from "node:timers/promises";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { RuntimeName } from "../../testing/runtimes.ts";
import { type Client, connectFrom, ended, eventually, reply } from "../support/net.ts";
import { notLinux, oneAddress } from "../support/platform.ts";
import { echo, openTenAndReset } from "../support/ten_connections.ts";
import { testUnless } from "../support/test_unless.ts";
import { printedArgs, ROOT, withServer } from "../support/with_server.ts";

const ASK = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const text = (file: string) => Deno.readTextFile(new URL(file, ROOT));

/** A copy of an example at another port than the one that it names, beside it. It is deleted in the end. */
async function atPort(file: string, port: number): Promise<string> {
  const copy = file.replace("examples/", `examples/port_${port}_`);
  await Deno.writeTextFile(new URL(copy, ROOT), (await text(file)).replaceAll("7000", `${port}`));
  return copy;
}

/** Whether all slots of a client that has left are free again. */
async function servesTen(port: number): Promise<boolean> {
  const clients = await Promise.all(Array.from({ length: 10 }, () => connectFrom("127.0.0.2", port)));
  const echoes = await Promise.all(clients.map(echo));
  for (const client of clients) client[Symbol.dispose]();
  return echoes.every((word) => word === "hello");
}

const CLUSTERS: Readonly<Record<string, RuntimeName>> = { deno: "Deno", bun: "Bun", "npx tsx": "Node" };

for (const [start, runtime] of Object.entries(CLUSTERS)) {
  testUnless(
    oneAddress,
    `examples/cluster.ts by ${start} serves twenty connections of a client over its workers`,
    async () => {
      const file = "examples/cluster.ts";
      const printed = printedArgs(await text(file), start, file);
      await withServer(runtime, (port) => [...printed, file, `${port}`], async ({ port, output }) => {
        const workers = new Set<string>();
        let clients: Client[] = [];
        // Each worker needs a moment to learn that the store is there. Until then it would limit by itself. On Deno, a connection
      // that comes while workers start may never be served.
        await eventually(async () => {
          using client = await connectFrom("127.0.0.3", port);
        const answer = await Promise.race([reply(client, ASK), wait(500)]);
        const worker = /served by (\d+)/.exec(answer ?? "")?.[1];
        if (worker !== undefined) workers.add(worker);
          return workers.size === 4;
        }, "four workers to serve");
        const open = async () => {
          const client = await connectFrom("127.0.0.2", port);
          clients.push(client);
          return (await reply(client, ASK)).includes("served by");
        };
        for (let i = 0; i < 20; i++) assert(await open());
        using refused = await connectFrom("127.0.0.2", port);
        refused.socket.write(ASK);
        assertStrictEquals(await ended(refused), "");
        await eventually(() => /refused (::ffff:)?127\.0\.0\.2: client/.test(output()), "the refusal to be printed");
        // The slots of a worker that is killed come back, and another takes its place.
        Deno.kill(Number([...workers][0]), "SIGKILL");
        await eventually(
          () => clients.some(({ socket }) => socket.destroyed || socket.readyState !== "open"),
          "connections to end",
        );
        clients = clients.filter(({ socket }) => !socket.destroyed && socket.readyState === "open");
        await eventually(async () => {
          using other = await connectFrom("127.0.0.2", port);
          return (await reply(other, ASK)).includes("served by");
        }, "a slot of the worker that was killed");
        for (const client of clients) client[Symbol.dispose]();
      });
    },
  );
}

const ECHOES = [["deno_workers.ts", "deno", "Deno"], ["bun_processes.ts", "bun", "Bun"]] as const;

for (const [name, start, runtime] of ECHOES) {
  testUnless(
    oneAddress || notLinux,
    `examples/${name} echoes for ten connections of a client over all listeners of a port, and survives resets`,
    async () => {
      const file = `examples/${name}`;
      const printed = printedArgs(await text(file), start, file);
      let copy = "";
      try {
        const argsAt = async (port: number) => [...printed, copy = await atPort(file, port)];
        await withServer(runtime, argsAt, async ({ port }) => {
          await eventually(async () => await servesTen(port), "all to listen");
          for (const client of await openTenAndReset(port)) client[Symbol.dispose]();
          await eventually(() => servesTen(port), "ten slots to be free");
        });
      } finally {
        await Deno.remove(new URL(copy, ROOT));
      }
    },
  );
}

testUnless(
  oneAddress,
  "examples/deno_serve_parallel.ts answers five requests of a client over all threads",
  async () => {
    const file = "examples/deno_serve_parallel.ts";
    const line = (await text(file)).split("\n").find((line) => line.startsWith(" *   deno serve "))!;
    const args = (port: number) => line.slice(" *   deno ".length).replace("8000", `${port}`).split(" ");
    await withServer("Deno", args, async ({ port }) => {
      const status = async (client: Awaited<ReturnType<typeof connectFrom>>) =>
        /^HTTP\/1\.1 (\d+)/.exec(await reply(client, ASK))?.[1];
      const ask = async () => {
        const clients = await Promise.all(Array.from({ length: 8 }, () => connectFrom("127.0.0.2", port)));
        const answers = await Promise.all(clients.map(status));
        for (const client of clients) client.reset();
        return answers.sort();
      };
      const expected = [...Array(5).fill("200"), ...Array(3).fill("429")];
      // The threads agree within a moment who has the store.
      await eventually(async () => `${await ask()}` === `${expected}`, "the threads to share the limit");
      await eventually(async () => `${await ask()}` === `${expected}`, "the slots to be free again");
    });
  },
);
