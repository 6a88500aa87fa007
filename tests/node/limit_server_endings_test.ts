/**
 * A connection frees its slot when it ends: in every kind of server, in every state, and in every way.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { type Client, connectFrom, eventually, within } from "../support/net.ts";
import { Limited } from "../support/node/limited_server.ts";
import { connectTo, type Kind, KINDS } from "../support/node/server_kinds.ts";
import { isBun } from "../support/platform.ts";

/** What a connection is about, with how to bring it there. */
const STATES: Readonly<Record<string, (kind: Kind, port: number, hangs: Promise<void>) => Promise<Client>>> = {
  "an idle": (_, port) => connectFrom("127.0.0.1", port),
  "a half-sent": async ({ half }, port) => {
    const client = await connectFrom("127.0.0.1", port);
    client.socket.write(half);
    return client;
  },
  "a silent": (kind, port) => connectTo(kind, port),
  "an asking": async (kind, port, hangs) => {
    const client = await connectTo(kind, port);
    await kind.ask(client, "hang");
    await within(hangs, "the server to be asked");
    return client;
  },
  "an answered": async (kind, port) => {
    const client = await connectTo(kind, port);
    await kind.ask(client, "answer");
    return client;
  },
};

/** The ways in which a connection ends. */
const ENDINGS: Readonly<Record<string, (client: Client, limited: Limited) => void>> = {
  "the client ends it": (client) => client.fin(),
  "the client resets it": (client) => client.reset(),
  "the client destroys its socket": (client) => client[Symbol.dispose](),
  "the server destroys its socket": (_, { sockets }) => void sockets.at(-1)!.destroy(),
};

for (const [name, kind] of Object.entries(KINDS)) {
  for (const [state, reach] of Object.entries(STATES)) {
    // Only with TLS is being silent more than being idle.
    if (state === "a silent" && !kind.secure) continue;
    const skip = isBun && name === "https" && (state === "an idle" || state === "a half-sent") &&
      "Bun's https tells of a connection after the handshake";
    test(`limitServer() frees the slot of ${state} ${name} connection, however it ends`, { skip }, async () => {
      for (const [ending, end] of Object.entries(ENDINGS)) {
        let hang!: () => void;
        const hangs = new Promise<void>((resolve) => hang = resolve);
        await using limited = await Limited.listen(kind.create(hang));
        using client = await reach(kind, limited.port, hangs);
        await eventually(() => limited.limiter.open === 1, `the connection to be counted before ${ending}`);
        end(client, limited);
        await eventually(() => limited.limiter.open === 0, `the slot to be free after ${ending}`);
        assertEquals(limited.limiter.stats().admitted, 1);
      }
    });
  }
}
