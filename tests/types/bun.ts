/**
 * The listeners and sockets of Bun fit what the library asks for. Nothing here is run: that it compiles is the test.
 *
 * @module
 */

import { type Admission, type Admitter, limitedListener, Limiter, type Peer } from "@connlimit/connlimit";
import { limitSocketHandler, listen } from "@connlimit/connlimit/bun";
import { type BunServerLike, limitRequests } from "@connlimit/connlimit/http";
import { forwarded } from "@connlimit/connlimit/proxy";

const limiter = new Limiter();
declare const peers: [Bun.Socket, Bun.TLSSocket, Bun.ServerWebSocket];
peers satisfies Peer[];

// As an async iterator: whatever `Bun.listen()` returns is taken over.
const socket = { data() {} };
for (
  const listener of [
    limitedListener(Bun.listen({ hostname: "localhost", port: 0, socket }), { maxPerClient: 10 }),
    limitedListener(Bun.listen({ hostname: "localhost", port: 0, socket, tls: { cert: "", key: "" } }), limiter),
    limitedListener(Bun.listen<string>({ hostname: "localhost", port: 0, data: "", socket: { drain() {} } })),
    limitedListener(listen({ port: 0 })),
  ]
) {
  listener.addr.port satisfies number;
  for await (const conn of listener) await conn.readable.pipeTo(conn.writable);
}
for (
  const listener of [
    limitedListener(Bun.listen({ unix: "socket", socket })),
    limitedListener(listen({ transport: "unix", path: "socket" }), limiter),
  ]
) {
  for await (const conn of listener) conn.remoteAddr.transport satisfies "unix";
}

// The limiter that comes out is the one that goes in.
class Own implements Admitter {
  readonly accounts = new Map<string, number>();
  tryAccept(peer: Peer): Promise<Admission> {
    return Promise.resolve(new Limiter().tryAccept(peer));
  }
}
limitedListener(listen({ port: 0 }), new Own()).limiter.accounts.clear();
limitedListener(listen({ port: 0 }), { maxPerClient: 1 }).limiter.setLimits({});
limitSocketHandler(new Own(), { data() {} }).limiter.accounts.clear();
limitSocketHandler({ maxPerClient: 1 }, { data() {} }).limiter.setLimits({});
// @ts-expect-error -- no option of that name
limitSocketHandler({ maxPerClient: 1, maxTotla: 1 }, { data() {} });

// As callbacks: the handlers keep their types, which `Bun.listen()` takes, and get them from there.
Bun.listen({ hostname: "localhost", port: 0, socket: limitSocketHandler(limiter, { data() {} }) });
Bun.listen({ unix: "socket", socket: limitSocketHandler({ maxPerClient: 10 }, { drain() {} }) });
Bun.listen<{ greeted: boolean }>({
  hostname: "localhost",
  port: 0,
  data: { greeted: false },
  socket: limitSocketHandler(limiter, {
    open: (socket) => void (socket.data.greeted = socket.write("hello\n") > 0),
    data: (socket, data) => void socket.write(data.subarray(1)),
    close() {},
  }, { onRefused: ({ reason }, socket) => void socket.write(reason), onError() {}, answer: "busy\n" }),
});
const handlers = limitSocketHandler(limiter, { data: (socket: Bun.Socket, data: Buffer) => void socket.write(data) });
handlers.data satisfies (socket: Bun.Socket, data: Buffer) => void;
Bun.listen({ hostname: "localhost", port: 0, socket: limitSocketHandler(new Limiter(), handlers) });

// As a fetch handler and as a route, which may answer nothing after an upgrade.
declare const server: Bun.Server<undefined>;
server satisfies BunServerLike;
Bun.serve({
  fetch: limitRequests(limiter, (request: Request, server: Bun.Server<undefined>) => {
    if (server.upgrade(request)) return;
    return new Response();
  }),
  websocket: { message() {} },
});
Bun.serve({
  routes: { "/:id": limitRequests(limiter, ({ params }: Bun.BunRequest<"/:id">) => new Response(params.id)) },
  fetch: limitRequests({}, async (request) => new Response(await request.text())),
});

const client = forwarded({ header: "x-real-ip", trusted: ["unix"] });
Bun.serve({ fetch: limitRequests(limiter, () => new Response(), { client }) });
Bun.serve({
  fetch: limitRequests(limiter, (_: Request, server: Bun.Server<undefined>) => new Response(`${server.port}`), {
    client,
  }),
});

// @ts-expect-error -- no listener
limitedListener(Bun.serve({ fetch: () => new Response() }));
// @ts-expect-error -- no handlers
limitSocketHandler(limiter, { data: "" });
