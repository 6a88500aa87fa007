/**
 * Clients of servers with deadlines.
 *
 * @module
 */

import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { certificate, type Client, connected } from "./net.ts";

/** Makes a TLS client of a connection. */
export async function secure(socket: Socket): Promise<Client> {
  return await connected(connectTls({ socket, servername: "localhost", ca: certificate().cert }), "secureConnect");
}
