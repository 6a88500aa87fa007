/**
 * Requests of servers of Node whose limiter takes its time, on every runtime.
 *
 * @module
 */

import { once } from "node:events";
import * as http from "node:http";
import type * as net from "node:net";
import { test } from "node:test";
import { limitServerRequests } from "@connlimit/connlimit/node";
import { RequestsPort } from "../../src/node/requests_port.ts";
import { ServerGate } from "../../src/node/server_gate.ts";
import { within } from "../support/net.ts";
import { type Adapter, RULES, type Server, type Setup } from "../support/pending_rules.ts";
import { STORE_RULES } from "../support/store_rules.ts";

async function serve({ admitter, hooks, stage }: Setup): Promise<Server> {
  const served: number[] = [];
  const server = http.createServer((request, response) => {
    served.push(request.socket.remotePort!);
    response.end("an answer");
  });
  if (stage === undefined) limitServerRequests(server, admitter, hooks as never);
  else ServerGate.of(server).addForRequests(new RequestsPort(server, admitter, hooks as never, stage as never));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as net.AddressInfo).port,
    served,
    async [Symbol.asyncDispose]() {
      server.close();
      await within(once(server, "close"), "the server to close");
    },
  };
}

const adapter: Adapter = {
  serve,
  words: "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
  answer: "an answer",
  refusal: "connection: close",
};

for (const [rule, keeps] of Object.entries(RULES)) {
  test(`limitServerRequests() with a limiter that takes its time ${rule}`, () => keeps(adapter));
}
for (const [rule, keeps] of Object.entries(STORE_RULES)) {
  test(`limitServerRequests() with a shared limit ${rule}`, () => keeps(adapter));
}
