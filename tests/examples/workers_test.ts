/**
 * The examples of one limit over several workers and processes run by the commands that they print.
 *
 * @module
 */

import { availableParallelism } from "node:os";
import { assertEquals, assertStrictEquals } from "@std/assert";
import type { RuntimeName } from "../../testing/runtimes.ts";
import { type Client, connectFrom, ended, eventually, reply } from "../support/net.ts";
import { notLinux, oneAddress } from "../support/platform.ts";
import { noRedis, RunningRedis } from "../support/redis/running_redis.ts";
import { testUnless } from "../support/test_unless.ts";
import { printedArgs, ROOT, withServer } from "../support/with_server.ts";

const ASK = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const CORES = availableParallelism();
const text = (file: string) => Deno.readTextFile(new URL(file, ROOT));

/** A copy of an example at another port than the one that it names, beside it. It is deleted in the end. */
async function atPort(file: string, port: number): Promise<string> {
  const copy = file.replace("examples/", `examples/port_${port}_`);
  await Deno.writeTextFile(new URL(copy, ROOT), (await text(file)).replaceAll("7000", `${port}`));
  return copy;
}

/** Asks over a connection. Resolves to nothing if it is refused, or not served. */
async function ask(client: Client, words: string): Promise<string> {
  const timer = setTimeout(() => client[Symbol.dispose](), 500);
  const answer = await reply(client, words);
  clearTimeout(timer);
  return answer;
}

/**
 * Opens connections of one client as soon as that many are served, and sees that the next is refused. Each worker needs a moment
 * to learn that the store is there, and to learn what was open before.
 */
async function openMost(port: number, most: number, words: string): Promise<Client[]> {
  let clients: Client[] = [];
  await eventually(async () => {
    clients = await Promise.all(Array.from({ length: most }, () => connectFrom("127.0.0.2", port)));
    const answers = await Promise.all(clients.map((client) => ask(client, words)));
    if (answers.every((answer) => answer !== "")) return true;
    for (const client of clients) client.reset();
    return false;
  }, `${most} connections to be served`);
  for (let i = 0; i < 5; i++) {
    using refused = await connectFrom("127.0.0.2", port);
    refused.socket.write(words);
    assertStrictEquals(await ended(refused), "");
  }
  return clients;
}

const CLUSTERS: Readonly<Record<string, RuntimeName>> = { bun: "Bun", "npx tsx": "Node" };

for (const [start, runtime] of Object.entries(CLUSTERS)) {
  testUnless(
    oneAddress,
    `examples/cluster.ts by ${start} serves twenty connections of a client over its workers`,
    async () => {
      const file = "examples/cluster.ts";
      const printed = printedArgs(await text(file), start, file);
      await withServer(runtime, (port) => [...printed, file, `${port}`], async ({ port, output }) => {
        const workers = new Set<string>();
        const serve = (count: number) =>
          eventually(async () => {
            using client = await connectFrom("127.0.0.3", port);
            const worker = /served by (\d+)/.exec(await ask(client, ASK))?.[1];
            if (worker !== undefined) workers.add(worker);
            return workers.size >= count;
          }, `${count} workers to have served`);
        await serve(CORES);
        const clients = await openMost(port, 20, ASK);
        await eventually(() => /refused (::ffff:)?127\.0\.0\.2: client/.test(output()), "the refusal to be printed");
        // The slots of a worker that is killed are free again, and another takes its place.
        Deno.kill(Number([...workers][0]), "SIGKILL");
        await serve(CORES + 1);
        await eventually(async () => {
          using other = await connectFrom("127.0.0.2", port);
          return (await ask(other, ASK)).includes("served by");
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
          for (const client of await openMost(port, 10, "hello")) client.reset();
          for (let i = 0; i < 50; i++) (await connectFrom("127.0.0.3", port)).reset();
          for (const client of await openMost(port, 10, "hello")) client[Symbol.dispose]();
        });
      } finally {
        await Deno.remove(new URL(copy, ROOT));
      }
    },
  );
}

testUnless(
  oneAddress || noRedis,
  "examples/redis.ts answers five requests of a client over deno serve --parallel and a process of Bun",
  async () => {
    const file = "examples/redis.ts";
    await using redis = await RunningRedis.start();
    const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}` };
    const line = (await text(file)).split("\n").find((line) => line.startsWith(" *   deno serve "))!;
    const argsAt = (port: number) => line.slice(" *   deno ".length).replace("8000", `${port}`).split(" ");
    await withServer("Deno", argsAt, async ({ port: first }) => {
      await withServer("Bun", () => [file], async ({ port: second }) => {
        const ask = async () => {
          const clients = await Promise.all(
            Array.from({ length: 8 }, (_, at) => connectFrom("127.0.0.2", [first, second][at % 2]!)),
          );
          const answers = await Promise.all(clients.map((client) => reply(client, ASK)));
          for (const client of clients) client.reset();
          return answers.map((answer) => answer.slice("HTTP/1.1 ".length, 12)).sort();
        };
        const expected = [...Array(5).fill("200"), ...Array(3).fill("429")];
        // The threads and processes have to have heard from the store.
        await eventually(async () => `${await ask()}` === `${expected}`, "the limit to be shared");
        await eventually(async () => `${await ask()}` === `${expected}`, "the slots to be free again");
      }, { env: (port) => ({ ...env, PORT: `${port}` }) });
    }, { env: () => env });
    // Both have ended by SIGTERM, on which their limiters left the store.
    await using observer = await redis.observe();
    assertEquals(await observer.keys(), []);
  },
);
