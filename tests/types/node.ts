/**
 * The servers and sockets of Node fit what the library asks for. Nothing here is run: that it compiles is the test.
 *
 * @module
 */

import * as http from "node:http";
import * as http2 from "node:http2";
import type * as https from "node:https";
import * as net from "node:net";
import * as tls from "node:tls";
import { type Admission, type Admitter, Limiter, type Peer, type Slot } from "@connlimit/connlimit";
import {
  limitServer,
  limitServerRequests,
  type ServerLike,
  type ServerSocket,
  tooManyConnections,
} from "@connlimit/connlimit/node";
import { forwarded } from "@connlimit/connlimit/proxy";

declare const sockets: [net.Socket, tls.TLSSocket, http.IncomingMessage["socket"], http2.Http2Session["socket"]];
declare const servers: [
  net.Server,
  tls.Server,
  http.Server,
  https.Server,
  http2.Http2Server,
  http2.Http2SecureServer,
];

sockets satisfies ServerSocket[];
sockets satisfies Peer[];
servers satisfies ServerLike[];
for (const server of servers) {
  using attachment = limitServer(server, new Limiter(), { onRefused() {}, onError() {} });
  attachment.limiter satisfies Limiter;
  attachment.slotOf(sockets[0]) satisfies Slot | undefined;
}

// The limiter that comes out is the one that goes in.
class Own implements Admitter {
  readonly accounts = new Map<string, number>();
  tryAccept(peer: Peer): Promise<Admission> {
    return Promise.resolve(new Limiter().tryAccept(peer));
  }
}
limitServer(http.createServer(), new Own()).limiter.accounts.clear();
limitServerRequests(http.createServer(), new Own()).limiter.accounts.clear();
limitServer(http.createServer(), { maxPerClient: 1 }).limiter.stats().open.toFixed();
limitServerRequests(http.createServer()).limiter.setLimits({});
// @ts-expect-error -- no option of that name
limitServer(http.createServer(), { maxPerClient: 1, maxTotla: 1 });
// @ts-expect-error -- no option of that name, beside a limiter of the user's
limitServer(http.createServer(), new Own(), { onRefusal() {} });

// Hooks may say which socket it is that they take.
limitServer(http.createServer(), {}, { onRefused: (_, socket: net.Socket) => void socket.end("busy") });
limitServer(tls.createServer(), {}, { onRefused: (_, socket: tls.TLSSocket) => void socket.resetAndDestroy() });
limitServer(http.createServer(), {}, { answer: tooManyConnections({ burst: 5 }), onRefused: () => 5 });
limitServer(net.createServer(), {}, { answer: ({ reason }, socket: net.Socket) => `${reason}: ${socket.remotePort}` });

// Requests may be named by their type, and resolvers of clients take them, also by themselves.
const client = forwarded({ header: "x-real-ip", trusted: ["unix"] });
for (const server of [http.createServer(), http2.createServer(), http2.createSecureServer()]) {
  using attachment = limitServerRequests(server, {}, {
    client,
    answer: ({ reason }) => ({ status: 503, body: reason }),
  });
  attachment.limiter satisfies Limiter;
}
limitServerRequests(http.createServer(), {}, {
  client: (request: http.IncomingMessage, peer) => client(request, peer),
  onRefused: (_, request, who) => void [request.socket.bytesRead, who],
});
http.createServer((request) => client(request, request.socket));
http2.createServer((request) => client(request, request.socket));

// @ts-expect-error -- no server
limitServer(new http.Agent());
declare const wrapper: { emit(event: string): boolean; address(): unknown; listen(): void; server: net.Server };
// @ts-expect-error -- the server is inside
limitServer(wrapper);
// @ts-expect-error -- no peer: the address is a number
new Limiter().accept({ remoteAddress: 1 });
