/**
 * Servers that echo for ten connections of a client, as examples do.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { type Client, connectFrom, ended, reply } from "./net.ts";

/** Sends a word. Resolves to what comes back, or to nothing where the connection ends instead. */
export function echo(client: Client): Promise<string> {
  return reply(client, "hello");
}

/** Opens ten connections from 127.0.0.2, all of which are served, and sees that the eleventh is refused with an answer. */
export async function openTen(port: number, answer = ""): Promise<Client[]> {
  const clients = await Promise.all(Array.from({ length: 10 }, () => connectFrom("127.0.0.2", port)));
  assertEquals(await Promise.all(clients.map(echo)), clients.map(() => "hello"));
  using eleventh = await connectFrom("127.0.0.2", port);
  assertStrictEquals(await ended(eleventh), answer);
  return clients;
}

/** Opens ten as {@linkcode openTen} does. Then fifty others come and reset, and so do five of the ten. Resolves to the rest. */
export async function openTenAndReset(port: number): Promise<Client[]> {
  const clients = await openTen(port);
  for (let i = 0; i < 50; i++) (await connectFrom("127.0.0.3", port)).reset();
  for (const client of clients.splice(0, 5)) client.reset();
  return clients;
}
