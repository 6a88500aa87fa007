/**
 * Many connections at once, and many one after the other.
 *
 * @module
 */

import { execFile } from "node:child_process";
import * as http from "node:http";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { LimiterStats } from "@connlimit/connlimit";
import { type Client, connectFrom, ended, eventually, leavingNoSocket, within } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";
import { Limited } from "../support/node/limited_server.ts";
import { KINDS } from "../support/node/server_kinds.ts";

const kind = KINDS.http!;

test(
  "limitServer() holds the slots of 1,000 connections that are kept alive, and frees each",
  { skip: oneAddress },
  leavingNoSocket(async () => {
    const server = kind.create() as http.Server;
    // They are to be kept for as long as this takes.
    server.keepAliveTimeout = 60_000;
    await using limited = await Limited.listen(server, { limits: { maxPerClient: 10 } });
    const { limiter, port } = limited;
    const clients: Client[] = [];
    const ask = () => Promise.all(clients.map((client) => kind.ask(client, "answer")));
    for (let i = 0; i < 10; i++) {
      clients.push(
        ...await Promise.all(
          Array.from({ length: 100 }, (_, address) => connectFrom(`127.0.0.${address + 1}`, port)),
        ),
      );
    }
    await ask();
    assertEquals([limiter.open, limiter.stats().clients], [1_000, 100]);
    using refused = await connectFrom("127.0.0.1", port);
    refused.socket.write("GET / HTTP/1.1\r\n\r\n");
    assertStrictEquals(await ended(refused), "");
    await ask();
    assertEquals([limiter.open, limiter.stats().admitted], [1_000, 1_000]);
    for (const client of clients.slice(0, 300)) client.fin();
    for (const client of clients.slice(300, 700)) client.reset();
    await eventually(() => limiter.open === 300, "those that the clients have ended to be free");
    for (const socket of limited.sockets) socket.destroy();
    await limited.freed();
    assertStrictEquals(limiter.stats().clients, 0);
    for (const client of clients) client[Symbol.dispose]();
  }),
);

const CONNECTIONS = 64;
const ROOM = 16;

/** What clients have seen. */
interface Seen {
  answered: number;
  refused: number;
}

/** Opens a connection for each request, for a second. What has begun when the time is over is in neither number. */
async function load(port: number): Promise<Seen> {
  const address = `http://127.0.0.1:${port}/`;
  const args = ["--threads=1", `--connections=${CONNECTIONS}`, "--duration=1s", "--header=Connection: close", address];
  const report = await new Promise<string | undefined>((resolve, reject) => {
    execFile("wrk", args, (error, stdout) => {
      if (error === null) resolve(stdout);
      else if (error.code === "ENOENT") resolve(undefined);
      else reject(error);
    });
  });
  if (report !== undefined) {
    // It has no line about errors where there were none.
    const [, read = 0, write = 0] = /read (\d+), write (\d+)/.exec(report) ?? [];
    return { answered: Number(/(\d+) requests in/.exec(report)![1]), refused: Number(read) + Number(write) };
  }
  console.warn("wrk is not installed: clients of node:http stand in for it");
  const seen = { answered: 0, refused: 0 };
  const end = performance.now() + 1_000;
  const client = async () => {
    while (performance.now() < end) {
      await new Promise<void>((resolve) => {
        const done = (as: keyof Seen) => {
          seen[as]++;
          resolve();
        };
        http.get(address, { agent: false }, (response) => response.resume().on("end", () => done("answered")))
          .on("error", () => done("refused"));
      });
    }
  };
  await within(Promise.all(Array.from({ length: CONNECTIONS }, client)), "the load to end");
  return seen;
}

test("limitServer() admits or refuses each connection of wrk, and frees each slot", async () => {
  let requests = 0;
  const server = http.createServer((_request, response) => {
    requests++;
    // So that the others come while it is open.
    setTimeout(() => response.end("late"), 2);
  });
  await using limited = await Limited.listen(server, { limits: { maxPerClient: ROOM } });
  const { limiter, port } = limited;
  // Counted by what stands before the limiter.
  let connections = 0;
  const { emit } = server;
  server.emit = function (this: http.Server, event: string, ...args: unknown[]) {
    if (event === "connection") connections++;
    return emit.call(this, event, ...args);
  };
  const seen: Seen = { answered: 0, refused: 0 };
  let rounds = 0;
  const enough = ({ admitted, refused }: LimiterStats) => admitted >= 2 * ROOM && refused >= ROOM;
  // How many there are in a second depends on what else the machine does.
  while (rounds < 10 && !enough(limiter.stats())) {
    const { answered, refused } = await load(port);
    await limited.freed();
    seen.answered += answered;
    seen.refused += refused;
    rounds++;
  }
  const { admitted, refused, peak, clients } = limiter.stats();
  assert(enough(limiter.stats()), `${admitted} admitted, ${refused} refused`);
  assertStrictEquals(admitted + refused, connections);
  // Each of wrk's clients may have had one under way when the time was over, and wrk has tried whether the server is there.
  const more = rounds * (CONNECTIONS + 1);
  const near = (many: number, few: number) => assert(few <= many && many <= few + more, `${few} of ${many}`);
  near(connections, seen.answered + seen.refused);
  near(admitted, seen.answered);
  near(admitted, requests);
  near(refused, seen.refused);
  assertStrictEquals(peak, ROOM);
  assertEquals([limiter.open, clients], [0, 0]);
});
