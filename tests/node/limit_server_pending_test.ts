/**
 * Servers of Node whose limiter takes its time, on every runtime.
 *
 * @module
 */

import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import * as net from "node:net";
import { test } from "node:test";
import * as tls from "node:tls";
import { limitServer, tooManyConnections } from "@connlimit/connlimit/node";
import { ServerGate } from "../../src/node/server_gate.ts";
import type { LimitServerOptions } from "../../src/node/server_port.ts";
import { ServerPort } from "../../src/node/server_port.ts";
import { certificate, within } from "../support/net.ts";
import { isBun } from "../support/platform.ts";
import { leavesNothingPending } from "../support/pending_crowd.ts";
import { type Adapter, RULES, type Server, type Setup } from "../support/pending_rules.ts";
import { STORE_RULES } from "../support/store_rules.ts";

type NodeServer = net.Server | http.Server | https.Server | http2.Http2SecureServer;

/** Limits a server, and listens. */
async function serve(
  { admitter, hooks, stage }: Setup,
  server: NodeServer,
  served: readonly number[],
  options?: LimitServerOptions,
): Promise<Server> {
  const all = { ...hooks, ...options } as LimitServerOptions;
  if (stage === undefined) limitServer(server, admitter, all);
  else ServerGate.of(server).add(new ServerPort(server, admitter, all, stage as never));
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

function echo(served: number[]) {
  return (socket: net.Socket) => {
    served.push(socket.remotePort!);
    socket.on("error", () => {});
    socket.on("data", (data) => socket.write(data));
    socket.on("end", () => socket.end());
  };
}

function answer(served: number[]) {
  return (request: { readonly socket: net.Socket }, response: { end(text: string): unknown }) => {
    served.push(request.socket.remotePort!);
    response.end("an answer");
  };
}

const TCP = { words: "hello", answer: "hello", hearsSilent: true };
const HTTP = {
  hearsSilent: !isBun,
  words: "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
  answer: "an answer",
};

/** An adapter over a kind of server. */
function over(
  create: (served: number[]) => NodeServer,
  adapter: Omit<Adapter, "serve">,
  options?: LimitServerOptions,
): Adapter {
  return {
    ...adapter,
    serve(setup) {
      const served: number[] = [];
      return serve(setup, create(served), served, options);
    },
  };
}

const ADAPTERS: Readonly<Record<string, Adapter>> = {
  net: over((served) => net.createServer(echo(served)), TCP),
  tls: over((served) => tls.createServer(certificate(), echo(served)), { ...TCP, tls: true }),
  http: over((served) => http.createServer(answer(served)), HTTP),
  "http with an answer for refused clients": over((served) => http.createServer(answer(served)), {
    ...HTTP,
    refusal: "connection: close",
  }, { answer: tooManyConnections({ writeDeadline: 5_000 }) }),
  https: over((served) => https.createServer(certificate(), answer(served)), { ...HTTP, tls: true, hearsLate: isBun }),
  http2: over(
    (served) => http2.createSecureServer({ ...certificate(), allowHTTP1: true }, answer(served) as never),
    { ...HTTP, tls: true },
  ),
};

for (const [kind, adapter] of Object.entries(ADAPTERS)) {
  for (const [rule, keeps] of Object.entries(RULES)) {
    test(`limitServer() with a limiter that takes its time ${rule} (${kind})`, () => keeps(adapter));
  }
  for (const [rule, keeps] of Object.entries(STORE_RULES)) {
    test(`limitServer() with a shared limit ${rule} (${kind})`, () => keeps(adapter));
  }
  const seed = Date.now() | 0;
  test(
    `limitServer() leaves nothing of a thousand pending connections (${kind}, seed ${seed})`,
    leavesNothingPending(adapter, seed),
  );
}
