/**
 * Limited servers of `node:net`, which answer whatever they are told.
 *
 * @module
 */

import type * as net from "node:net";
import { type Client, reply } from "../net.ts";
import { Limited, type Setup } from "./limited_server.ts";
import { KINDS } from "./server_kinds.ts";

/** A limited server that listens. */
export function listenNet(setup: Setup = {}): Promise<Limited<net.Server>> {
  return Limited.listen(KINDS.net!.create() as net.Server, setup);
}

/** Whether the server answers, rather than ending the connection. */
export async function isServed(client: Client): Promise<boolean> {
  return await reply(client, "answer") !== "";
}
