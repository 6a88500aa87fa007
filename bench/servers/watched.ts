/**
 * Servers with limits, of which one is watched: what it refuses is ranked and logged, or a page shows it. Each has the two
 * ports of `two_ports.ts`, and a limiter of its own. They are in one process, so that nothing else differs between them.
 *
 *   deno run -A bench/servers/watched.ts "accept loop" MAX_PER_CLIENT log
 *   bun bench/servers/watched.ts callbacks MAX_PER_CLIENT page
 *   deno run -A bench/servers/watched.ts node:net MAX_PER_CLIENT page
 *
 * @module
 */

import { createServer as createWebServer } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import process from "node:process";
import { type ConnLike, limitedListener, Limiter, type ListenerLike, logRefusals, watchRefusals } from "../../mod.ts";
import { limitSocketHandler } from "../../src/bun/mod.ts";
import { dashboard } from "../../src/dashboard/mod.ts";
import { limitServer } from "../../src/node/mod.ts";
import { serveCommands } from "../lib/commands.ts";
import { bun, type Handlers } from "./bun.ts";

const [way, max, watching] = process.argv.slice(2);

type Options = { readonly onRefused?: ReturnType<typeof logRefusals> };
type Serve = (limiter: Limiter, options: Options) => number[] | Promise<number[]>;

/** By callbacks of Bun's. */
function serveCallbacks(limiter: Limiter, options: Options): number[] {
  const closing: Handlers = { open: (socket) => void socket.end(), data() {} };
  const keeping: Handlers = { data: (socket, data) => void socket.write(data) };
  return [closing, keeping].map((handlers) => {
    const socket = limitSocketHandler(limiter, handlers as object, options as object);
    return bun.listen({ hostname: "127.0.0.1", port: 0, socket: socket as unknown as Handlers }).port;
  });
}

/** By `node:net`. */
async function serveNode(limiter: Limiter, options: Options): Promise<number[]> {
  const keep = (socket: Socket) => void socket.on("error", () => {}).on("data", (data) => socket.write(data));
  return await Promise.all([(socket: Socket) => void socket.destroy(), keep].map(async (onConnection) => {
    const server = createServer(onConnection);
    limitServer(server, limiter, options);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }));
}

async function echo(conn: ConnLike): Promise<void> {
  using _ = conn;
  const buffer = new Uint8Array(64);
  for (let count; (count = await conn.read(buffer)) !== null;) await conn.write(buffer.subarray(0, count));
}

async function loop(conns: AsyncIterable<ConnLike>, handle: (conn: ConnLike) => void): Promise<void> {
  for await (const conn of conns) handle(conn);
}

/** By an accept loop on Deno. */
function serveLoop(limiter: Limiter, options: Options): number[] {
  return [(conn: ConnLike) => conn.close(), (conn: ConnLike) => void echo(conn).catch(() => {})].map((handle) => {
    const native = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    loop(limitedListener(native as ListenerLike<ConnLike, Deno.NetAddr>, limiter, options as object), handle);
    return native.addr.port;
  });
}

const serve: Serve = way === "callbacks" ? serveCallbacks : way === "node:net" ? serveNode : serveLoop;

/** A page at its default pace. */
async function servePage(limiter: Limiter): Promise<number> {
  const server = createWebServer(dashboard({ limiter }, { authorize: "loopback" }).node);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function serveBoth(): Promise<void> {
  const [plain, watched] = [1, 2].map(() => new Limiter({ maxPerClient: Number(max) })) as [Limiter, Limiter];
  const ports = [...await serve(plain, {})];
  if (watching === "page") {
    ports.push(...await serve(watched, {}), await servePage(watched));
  } else {
    watchRefusals(watched);
    ports.push(...await serve(watched, { onRefused: logRefusals({ logger: { warn() {} } }) }));
  }
  serveCommands({ ports }, {});
}

serveBoth();
