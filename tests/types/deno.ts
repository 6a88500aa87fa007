/**
 * The listeners and connections of Deno fit what the library asks for. Nothing here is run: that it compiles is the test.
 *
 * @module
 */

import {
  type Admission,
  type Admitter,
  type ConnLike,
  type LimitedConn,
  limitedListener,
  Limiter,
  type LimitsOptions,
  type ListenerLike,
  type Peer,
  withSlot,
} from "@connlimit/connlimit";
import { limitRequests, upgradeWebSocket } from "@connlimit/connlimit/http";
import { forwarded } from "@connlimit/connlimit/proxy";

declare const conns: [Deno.Conn, Deno.TcpConn, Deno.TlsConn, Deno.UnixConn, Deno.VsockConn];
declare const listeners: [Deno.Listener, Deno.TcpListener, Deno.TlsListener, Deno.UnixListener, Deno.VsockListener];
declare const infos: [Deno.ServeHandlerInfo<Deno.NetAddr>, Deno.ServeHandlerInfo<Deno.UnixAddr>];

conns satisfies ConnLike[];
[...conns, ...infos] satisfies Peer[];
listeners satisfies ListenerLike[];
for (const conn of conns) withSlot(conn, new Limiter().accept(conn)) satisfies LimitedConn<typeof conn>;

// What goes in comes out: the connections and addresses keep their types.
const tcp = limitedListener(Deno.listen({ port: 0 }), {}, { onRefused: (_, conn) => conn.setNoDelay() });
/** A hook may return what it likes. */
const counts = { refused: 0, errors: [] as unknown[] };
limitedListener(tcp, {}, { onRefused: () => counts.refused++, onError: (error) => counts.errors.push(error) });
limitedListener(tcp, {}, { answer: ({ reason }, conn) => `${reason}: ${conn.remoteAddr.hostname}` });
limitedListener(tcp, {}, { answer: { send: new Uint8Array(1), writeDeadline: 1, perSecond: Infinity, burst: 1 } });
// @ts-expect-error -- no answer: a promise
limitedListener(tcp, {}, { answer: () => Promise.resolve("busy") });
tcp.addr satisfies Deno.NetAddr;
tcp satisfies Deno.Listener<Deno.TcpConn, Deno.NetAddr>;
for await (const conn of tcp) conn.setNoDelay(conn.slot.admitted);
const unix = limitedListener(Deno.listen({ transport: "unix", path: "" }), new Limiter());
unix satisfies Deno.Listener<Deno.UnixConn, Deno.UnixAddr>;
const tls = limitedListener(Deno.listenTls({ port: 0, cert: "", key: "" }));
for await (const conn of tls) (await conn.handshake()) satisfies Deno.TlsHandshakeInfo;

// The limiter that comes out is the one that goes in, and a `Limiter` where limits go in.
class Own implements Admitter {
  readonly accounts = new Map<string, number>();
  tryAccept(peer: Peer): Promise<Admission> {
    return Promise.resolve(new Limiter().tryAccept(peer));
  }
}
declare const either: Limiter | Own;
declare const some: Limiter | LimitsOptions;
declare const admitter: Admitter;
limitedListener(Deno.listen({ port: 0 }), new Own()).limiter.accounts.get("alice")?.toFixed();
limitedListener(Deno.listen({ port: 0 }), either).limiter satisfies Limiter | Own;
limitedListener(Deno.listen({ port: 0 }), some).limiter satisfies Limiter;
limitedListener(Deno.listen({ port: 0 }), { maxPerClient: 1 }).limiter.stats().open.toFixed();
limitedListener(Deno.listen({ port: 0 }), { ...new Limiter().limits, maxTotal: 1 }).limiter.accept("").release();
limitRequests(new Own(), () => new Response()).limiter.accounts.clear();
limitRequests({ maxPerClient: 1 }, () => new Response()).limiter.setLimits({});
const unknown = limitRequests(admitter, () => new Response());
unknown.limiter satisfies Admitter;
// @ts-expect-error -- nothing says that it has counters
unknown.limiter.stats();
// @ts-expect-error -- no option of that name
limitedListener(Deno.listen({ port: 0 }), { maxPerClient: 1, maxTotla: 1 });
// @ts-expect-error -- no option of that name, beside a limiter of the user's
limitedListener(Deno.listen({ port: 0 }), new Own(), { onRefusal() {} });
// @ts-expect-error -- no limiter: its answer is a number
limitRequests({ tryAccept: () => 1 }, () => new Response());

// A limited handler is one that `Deno.serve()` and `deno serve` take, and what it is called with keeps its type.
const limited = limitRequests({}, (request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => {
  if (info.remoteAddr.port > 0) return upgradeWebSocket(request).response;
  return Promise.resolve(new Response());
}, { client: (_, info) => info.remoteAddr.hostname, answer: ({ reason }) => new Response(reason) });
Deno.serve(limited);
Deno.serve(limitRequests({}, () => new Response()));
Deno.serve(limitRequests({}, async (request) => new Response(await request.text())));
Deno.serve({ path: "" }, limitRequests(new Limiter(), (_, { remoteAddr }) => new Response(remoteAddr.path)));
({ fetch: limitRequests({}, () => new Response()) }) satisfies Deno.ServeDefaultExport;

// Resolvers of clients fit where the handler says nothing of its second argument, and where it does.
const client = forwarded({ header: "x-real-ip", trusted: ["unix"] });
Deno.serve(limitRequests({}, () => new Response(), { client }));
Deno.serve({ path: "" }, limitRequests({}, () => new Response(), { client }));
Deno.serve(
  limitRequests({}, (_, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => new Response(info.remoteAddr.hostname), {
    client,
  }),
);

// @ts-expect-error -- no response
Deno.serve(limitRequests({}, () => "hello"));

// @ts-expect-error -- no connection: it cannot be read
conns[0] satisfies { readable: string };
// @ts-expect-error -- no listener
limitedListener(Deno.serve(() => new Response()));
// @ts-expect-error -- no peer: the address is a number
new Limiter().accept({ remoteAddr: { hostname: 1 } });
