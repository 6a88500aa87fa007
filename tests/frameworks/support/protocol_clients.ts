/**
 * Clients of protocols: each connects, and says what it was told if it may not.
 *
 * @module
 */

import { assertStrictEquals } from "@std/assert";
import { Redis } from "ioredis";
import IRC from "irc-framework";
import mqtt from "mqtt";
import nodemailer from "nodemailer";
import { createClient } from "redis";
import { WebSocket } from "ws";
import { connectFrom, ended, reply, within } from "../../support/net.ts";

/** A client that has connected, or what it was told in place of that. */
export interface Attempt {
  readonly refused?: string;
  /** Asks the server for something, and rejects if it does not answer. */
  use?(): Promise<void>;
  /** Leaves. */
  close(): unknown;
}

export async function smtp(port: number): Promise<Attempt> {
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

export async function irc(port: number): Promise<Attempt> {
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
  const use = () => {
    const answered = new Promise<void>((resolve) => client.on("raw", () => resolve()));
    client.changeNick("other");
    return within(answered, "an answer");
  };
  return isIn ? { close, use } : { refused: raw.join("\n"), close };
}

export const mqttOf = (protocolVersion: 4 | 5) => async (port: number): Promise<Attempt> => {
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
  const use = () => within(client.subscribeAsync("a"), "an answer").then(() => {});
  return refused === undefined ? { close, use } : { refused, close };
};

export async function ioredis(port: number): Promise<Attempt> {
  const client = new Redis({
    port,
    host: "127.0.0.1",
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    retryStrategy: null,
  });
  let said = "";
  client.on("error", (error: Error) => said += error.message);
  const close = () => client.disconnect();
  try {
    await within(client.connect(), "the client to connect");
    const use = async () => void await within(client.ping(), "an answer");
    await use();
    return { close, use };
  } catch (error) {
    return { refused: `${said} ${error}`, close };
  }
}

export async function nodeRedis(port: number): Promise<Attempt> {
  const client = createClient({ socket: { port, host: "127.0.0.1", reconnectStrategy: false } });
  client.on("error", () => {}); // what connect() rejects with
  try {
    await within(client.connect(), "the client to connect");
    const use = async () => void await within(client.ping(), "an answer");
    await use();
    return { close: () => client.destroy(), use };
  } catch (error) {
    return { refused: `${error}`, close: () => client.isOpen && client.destroy() };
  }
}

export async function game(port: number): Promise<Attempt> {
  const client = await connectFrom("127.0.0.1", port);
  const answer = await reply(client, "move\n");
  const close = () => client.fin();
  if (answer !== "move\n") return { refused: answer + await ended(client), close };
  const use = async () => assertStrictEquals(await reply(client, "move\n"), "move\n");
  return { close, use };
}

/** Plays over a WebSocket. */
export async function webSocketGame(port: number): Promise<Attempt> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  const close = () => socket.terminate();
  const closed = new Promise<string>((resolve) => {
    socket.on("close", (code, reason) => resolve(`${code} ${reason}`));
    socket.on("error", () => {});
  });
  socket.on("open", () => socket.send("move"));
  const heard = new Promise<void>((resolve) => socket.on("message", () => resolve()));
  const refused = await within(Promise.race([heard, closed]), "an answer");
  return refused === undefined ? { close } : { refused, close };
}
