/**
 * The servers of `docs/protocols.md`, as they are printed, except for the port and the limit. Each is tried by a client of its
 * protocol, and admits two of a client at a time.
 *
 * @module
 */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { connectFrom, ended, eventually } from "../support/net.ts";
import {
  type Attempt,
  game,
  ioredis,
  irc,
  mqttOf,
  nodeRedis,
  smtp,
  webSocketGame,
} from "./support/protocol_clients.ts";
import { serversOf, withHosted } from "./support/page.ts";
import type { Trial } from "./support/trials.ts";

/** Tries a server by clients of its protocol. Three connect; the third is told something. */
const refusesThird = (
  connect: (port: number) => Promise<Attempt>,
  told: string,
  { connectThird = connect, slots = 1 }: { connectThird?: typeof connect; slots?: number } = {},
): Trial =>
async ({ port, open }) => {
  const clients = [await connect(port), await connect(port)];
  assertEquals(clients.map(({ refused }) => refused), [undefined, undefined]);
  await open(2 * slots);
  const third = await connectThird(port);
  const { refused = "nothing" } = third;
  assert(refused.includes(told), refused);
  await third.close();
  await Promise.all(clients.map((client) => client.close()));
  await open(0);
  const again = await connect(port);
  assertStrictEquals(again.refused, undefined);
  await again.close();
  await open(0);
};

/** Datagrams, of which a third sender gets none back; the sessions end by themselves. */
const datagrams: Trial = async ({ port, open }) => {
  const sockets = await Promise.all([1, 2, 3].map(async () => {
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    return socket;
  }));
  const heard = [0, 0, 0];
  for (const [i, socket] of sockets.entries()) socket.on("message", () => heard[i]!++);
  for (const i of [0, 1]) {
    sockets[i]!.send("move", port, "127.0.0.1");
    await eventually(() => heard[i]! > 0, "the echo");
  }
  await open(2);
  sockets[2]!.send("move", port, "127.0.0.1");
  sockets[1]!.send("move", port, "127.0.0.1");
  await eventually(() => heard[1] === 2, "the second echo");
  assertEquals(heard, [1, 2, 0]);
  await open(0);
  for (const socket of sockets) socket.close();
};

/** How each server of the page is tried, in their order. */
const TRIALS: readonly (readonly Trial[])[] = [
  [refusesThird(smtp, "421 4.7.0")],
  [refusesThird(irc, "ERROR :Closing Link: too many connections")],
  [
    refusesThird(mqttOf(4), "Server unavailable"),
    refusesThird(mqttOf(4), "Server unavailable", { connectThird: mqttOf(5) }),
  ],
  [
    refusesThird(ioredis, "ERR max number of clients reached"),
    refusesThird(nodeRedis, "ERR max number of clients reached"),
  ],
  [refusesThird(game, '{"error":"too many players"}\n')],
  [refusesThird(webSocketGame, "1013 too many players", { slots: 2 })],
  [datagrams],
];

const servers = serversOf("protocols.md");
const programs = servers.map(({ code }) =>
  code.replace(/maxPerClient: \d+/, "maxPerClient: 2").replace("seen < 15_000", "seen < 2_000")
);

/** Shorter times in place of those that are printed, by the heading of their server. */
const SHORTER: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  SMTP: { "idleTimeout: 300_000": "idleTimeout: 1_000", "maxAge: 3_600_000": "maxAge: 4_000" },
  IRC: { "firstByteTimeout: 30_000": "firstByteTimeout: 1_000", "}, 90_000)": "}, 1_000)" },
  MQTT: {
    "connectTimeout: 10_000": "connectTimeout: 1_000",
    "firstByteTimeout: 10_000": "firstByteTimeout: 1_000",
  },
  "Game servers": {
    "firstByteTimeout: 5_000": "firstByteTimeout: 1_000",
    "idleTimeout: 15_000": "idleTimeout: 1_000",
  },
};
const hurried = Object.entries(SHORTER).map(([heading, times]) => {
  let { code } = servers.find((server) => server.heading === heading)!;
  for (const [printed, shorter] of Object.entries(times)) {
    assert(code.includes(printed), `${heading}: ${printed}`);
    code = code.replace(printed, shorter);
  }
  return code;
});

/** A client that holds a slot for nothing. */
interface Idler {
  readonly port: number;
  /** The time after which it is closed, in milliseconds. */
  readonly after: number;
  /** Whether it waits for the server's greeting first. */
  readonly polite?: true;
  /** What it says first. */
  readonly first: string;
  /** What it goes on to say. */
  readonly again?: string;
}

const idlersAt = ([mail, chat, queue, play]: readonly [number, number, number, number]): Idler[] => [
  { port: mail, after: 1_000, first: "" },
  { port: mail, after: 1_000, polite: true, first: "EHLO idle\r\n" },
  { port: mail, after: 4_000, polite: true, first: "EHLO busy\r\n", again: "N" },
  { port: chat, after: 1_000, first: "" },
  { port: chat, after: 1_000, first: "NICK silent\r\n" },
  { port: queue, after: 1_000, first: "" },
  { port: queue, after: 1_000, first: "\x10" },
  { port: play, after: 1_000, first: "" },
  { port: play, after: 1_000, first: "move\n" },
];

/** Connects and waits to be closed. */
async function idle({ port, after, polite, first, again }: Idler): Promise<void> {
  const start = performance.now();
  using client = await connectFrom("127.0.0.1", port);
  if (polite) await once(client.socket, "data");
  client.socket.write(first);
  const talk = again === undefined ? undefined : setInterval(() => client.socket.write(again), 100);
  await ended(client);
  clearInterval(talk);
  const time = performance.now() - start;
  assert(time >= after, `${port} closed ${JSON.stringify(first)} after ${time} ms`);
}

Deno.test("Every server of docs/protocols.md is tried", () => {
  assertStrictEquals(servers.length, TRIALS.length);
});

for (const runtime of ["Deno", "Bun", "Node"] as const) {
  Deno.test(`The servers of docs/protocols.md admit two clients, and tell a third why, on ${runtime}`, (context) =>
    withHosted(programs, runtime, async ({ ports, open, go }) => {
      for (const [i, { heading, code }] of servers.entries()) {
        await context.step(`${heading} (${i + 1})`, async () => {
          for (const trial of TRIALS[i]!) await trial({ port: ports[i]!, code, open, go });
        });
      }
    }));

  Deno.test(`The servers of docs/protocols.md close idle clients, and no others, on ${runtime}`, () =>
    withHosted(hurried, runtime, async ({ ports, open }) => {
      const four = ports as [number, number, number, number];
      const [, chat, queue, play] = four;
      const honest = [await irc(chat), await mqttOf(4)(queue), await game(play)];
      const heartbeat = setInterval(() => void honest[2]!.use!(), 300);
      try {
        await Promise.all(idlersAt(four).map(idle));
        await open(honest.length);
        for (const { use } of honest) await use!();
      } finally {
        clearInterval(heartbeat);
        for (const client of honest) await client.close();
      }
    }));
}
