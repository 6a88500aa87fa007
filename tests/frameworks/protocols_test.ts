/**
 * The servers of `docs/protocols.md`, as they are printed, except for the port and the limit. Each is tried by a client of its
 * protocol, and admits two of a client at a time.
 *
 * @module
 */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Redis } from "ioredis";
import IRC from "irc-framework";
import mqtt from "mqtt";
import nodemailer from "nodemailer";
import { connectFrom, ended, eventually, reply, within } from "../support/net.ts";
import { serversOf, withHosted } from "./support/page.ts";
import type { Trial } from "./support/trials.ts";

/** A client that has connected, or what it was told in place of that. */
interface Attempt {
  readonly refused?: string;
  /** Leaves. */
  close(): unknown;
}

/** Tries a server by clients of its protocol. Three connect; the third is told something. */
const refusesThird = (
  connect: (port: number) => Promise<Attempt>,
  told: string,
  connectThird: typeof connect = connect,
): Trial =>
async ({ port, open }) => {
  const clients = [await connect(port), await connect(port)];
  assertEquals(clients.map(({ refused }) => refused), [undefined, undefined]);
  await open(2);
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

async function smtp(port: number): Promise<Attempt> {
  const mailer = nodemailer.createTransport({ host: "127.0.0.1", port, pool: true, maxConnections: 1, secure: false });
  const close = () => mailer.close();
  try {
    const mail = { from: "one@example.com", to: "two@example.com", text: "hello" };
    await within(mailer.sendMail(mail), "the message to be taken");
    return { close };
  } catch (error) {
    return { refused: `${(error as Error & { response?: string }).response ?? error}`, close };
  }
}

async function irc(port: number): Promise<Attempt> {
  const client = new IRC.Client();
  const raw: string[] = [];
  client.on("raw", ({ line }: { line: string }) => void raw.push(line));
  const registered = new Promise<boolean>((resolve) => {
    client.on("registered", () => resolve(true));
    client.on("socket close", () => resolve(false));
  });
  client.connect({ host: "127.0.0.1", port, nick: "somebody", auto_reconnect: false });
  const isIn = await within(registered, "the client to register");
  const close = () => client.connection?.end();
  return isIn ? { close } : { refused: raw.join("\n"), close };
}

const mqttOf = (protocolVersion: 4 | 5) => async (port: number): Promise<Attempt> => {
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, protocolVersion });
  const refused = await within(
    new Promise<string | undefined>((resolve) => {
      client.on("connect", () => resolve(undefined));
      client.on("error", (error: Error) => resolve(error.message));
      client.on("close", () => resolve("closed"));
    }),
    "an answer of the broker",
  );
  const close = () => client.endAsync(true);
  return refused === undefined ? { close } : { refused, close };
};

async function redis(port: number): Promise<Attempt> {
  const client = new Redis({
    port,
    host: "127.0.0.1",
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: null,
  });
  let said = "";
  client.on("error", (error: Error) => said += error.message);
  const close = () => client.disconnect();
  try {
    await within(client.connect(), "the client to connect");
    await within(client.ping(), "an answer");
    return { close };
  } catch (error) {
    return { refused: `${said} ${error}`, close };
  }
}

async function game(port: number): Promise<Attempt> {
  const client = await connectFrom("127.0.0.1", port);
  const answer = await reply(client, "move\n");
  const close = () => client.fin();
  return answer === "move\n" ? { close } : { refused: answer + await ended(client), close };
}

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
  [refusesThird(mqttOf(4), "Server unavailable"), refusesThird(mqttOf(4), "Server unavailable", mqttOf(5))],
  [refusesThird(redis, "ERR max number of clients reached")],
  [refusesThird(game, '{"error":"too many players"}\n')],
  [datagrams],
];

const servers = serversOf("protocols.md");
const programs = servers.map(({ code }) =>
  code.replace(/maxPerClient: \d+/, "maxPerClient: 2").replace("seen < 15_000", "seen < 300")
);

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
}
