/**
 * Clients that connect and are refused.
 *
 * @module
 */

import { assertStrictEquals } from "@std/assert";
import { connectFrom, ended } from "./net.ts";

/** Connects without a word and waits to be turned away. Resolves to how that was done: by a proper end, or by a reset. */
export async function turnedAway(port: number, localAddress = "127.0.0.1"): Promise<"FIN" | "RST"> {
  using client = await connectFrom(localAddress, port);
  let failed = false;
  client.socket.on("error", () => failed = true);
  assertStrictEquals(await ended(client), "");
  return failed ? "RST" : "FIN";
}
