/**
 * The clients: who they are and how they behave.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import type { Route } from "./doors.ts";
import { pause } from "./pause.ts";

/** One client, at an address of its own, and what it has seen. */
export interface Client {
  readonly address: string;
  readonly name: string;
  readonly kind: "greedy" | "polite" | "hasty" | "idle";
  /** Connections that it tried to open. */
  tried: number;
  /** Echoes that were what had been sent, and those that were not or did not come. */
  right: number;
  wrong: number;
}

/** How a client behaves until it is told to go home. */
type Habit = (client: Client, dial: () => Socket, home: AbortSignal) => Promise<void>;

const habits: Record<Client["kind"], Habit> = { greedy, polite, hasty, idle };

/** Everybody who will come. */
export function crowd(): Client[] {
  return [
    newClient("127.0.0.2", "greedy", "greedy"),
    newClient("127.0.0.3", "polite A", "polite"),
    newClient("127.0.0.4", "polite B", "polite"),
    newClient("127.0.0.5", "polite C", "polite"),
    newClient("127.0.0.6", "hasty", "hasty"),
    newClient("127.0.0.7", "idle", "idle"),
  ];
}

function newClient(address: string, name: string, kind: Client["kind"]): Client {
  return { address, name, kind, tried: 0, right: 0, wrong: 0 };
}

/** Has a client do what it does. Resolves when it has gone home. */
export function visit(client: Client, route: Route, home: AbortSignal): Promise<void> {
  function dial(): Socket {
    client.tried++;
    // A failed connection is an everyday matter here. It always closes, and that is what the habits look at.
    return connect(route).on("error", () => {});
  }
  return habits[client.kind](client, dial, home);
}

/** Tries to open fifty connections a second, and keeps each that it gets for about one. */
async function greedy(_: Client, dial: () => Socket, home: AbortSignal): Promise<void> {
  const held = new Set<Socket>();
  while (!home.aborted) {
    const socket = dial();
    held.add(socket);
    socket.on("close", () => held.delete(socket));
    socket.setTimeout(500 + 1000 * Math.random(), () => socket.destroy());
    socket.resume(); // a socket notices that it has been closed only while it is read
    await pause(20, home);
  }
  for (const socket of held) socket.destroy();
}

/** Opens one connection or two, says something, waits for the echo, closes, and comes again. */
async function polite(client: Client, dial: () => Socket, home: AbortSignal): Promise<void> {
  while (!home.aborted) {
    const connections = 1 + Math.round(Math.random());
    await Promise.all(Array.from({ length: connections }, () => converse(client, dial())));
    await pause(100 + 200 * Math.random(), home);
  }
}

async function converse(client: Client, socket: Socket): Promise<void> {
  const said = `Hello, this is ${client.name}, connection ${client.tried}.`;
  let heard = "";
  socket.setTimeout(2000, () => socket.destroy());
  socket.setEncoding("utf8").write(said);
  try {
    for await (const text of socket) {
      heard += text;
      if (heard.length < said.length) continue;
      await pause(150); // long enough to be seen
      socket.end();
    }
  } catch {
    // Then the echo is missing.
  }
  if (heard === said) client.right++;
  else client.wrong++;
}

/**
 * Connects a dozen times at once and resets each connection as soon as it is there. Some are admitted, some refused, and
 * some gone before the server can accept them: those end the accept loop of a server that takes them for fatal.
 */
async function hasty(_: Client, dial: () => Socket, home: AbortSignal): Promise<void> {
  while (!home.aborted) {
    for (let i = 0; i < 12; i++) {
      const socket = dial();
      socket.on("connect", () => socket.resetAndDestroy());
    }
    await pause(250, home);
  }
}

/** Opens five connections, says nothing, and does not go home. */
function idle(_: Client, dial: () => Socket): Promise<void> {
  for (let i = 0; i < 5; i++) dial().resume();
  return Promise.resolve();
}
