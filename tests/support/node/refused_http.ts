/**
 * Servers of HTTP that answer refused clients, and those clients.
 *
 * @module
 */

import * as http from "node:http";
import type * as net from "node:net";
import { type AnswerBudget, type LimitServerOptions, tooManyConnections } from "@connlimit/connlimit/node";
import type { LimitsOptions, Refusal } from "@connlimit/connlimit";
import { connectFrom, ended } from "../net.ts";
import { Limited } from "./limited_server.ts";

/** A request for `/`. */
export const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** A limited server of HTTP that answers those whom it refuses. */
export function listenHttp(
  limits: LimitsOptions,
  budget?: AnswerBudget,
  hooks?: LimitServerOptions<net.Socket>,
): Promise<Limited<http.Server>> {
  const server = http.createServer((_, response) => response.end("an answer"));
  return Limited.listen(server, { limits, options: { answer: tooManyConnections(budget), ...hooks } });
}

/** Connects, sends a request, and waits for the end. Resolves to what has come. */
export async function ask(port: number, address = "127.0.0.1", request: string = REQUEST): Promise<string> {
  using client = await connectFrom(address, port);
  client.socket.write(request);
  return await ended(client);
}

/** An `onRefused` with what it has been told. */
export function refusalsNoted(): { told: unknown[]; onRefused(refusal: Refusal, socket: net.Socket): void } {
  const told: unknown[] = [];
  const onRefused = ({ reason }: Refusal, { remoteAddress, destroyed }: net.Socket) =>
    void told.push([reason, remoteAddress, destroyed]);
  return { told, onRefused };
}
