/**
 * A server with two ports whose connections begin with a header of the PROXY protocol, by an accept loop on Deno or Bun, by
 * callbacks of Bun's or by `node:net`. It closes connections to the first port once it knows the client, and keeps and echoes
 * those to the second.
 *
 *   deno run -A bench/servers/proxied.ts "accept loop" "by hand"
 *   deno run -A bench/servers/proxied.ts "accept loop" "by option"
 *   bun bench/servers/proxied.ts callbacks "by option"
 *   node --import tsx bench/servers/proxied.ts node:net "by option"
 *
 * By hand, the handlers read the header, and the connections are the proxy's. By option, they are the client's.
 *
 * @module
 */

import { type AddressInfo, createServer, type Socket } from "node:net";
import process from "node:process";
import type { ConnLike, ListenerLike } from "../../mod.ts";
import { limitSocketHandler, listen as listenOnBun } from "../../src/bun/mod.ts";
import { limitServer } from "../../src/node/mod.ts";
import { proxyProtocol } from "../../src/proxy/mod.ts";
import { limitedListener, Limiter } from "../../mod.ts";
import { serveCommands } from "../lib/commands.ts";
import { bun, type Socket as BunSocket } from "./bun.ts";

const [way, mode] = process.argv.slice(2);
const limiter = new Limiter({ maxPerClient: Infinity });
const byHand = mode === "by hand";
const options = byHand ? {} : { client: proxyProtocol({ trusted: ["127.0.0.0/8"], timeout: 60_000 }) };
const where = { hostname: "127.0.0.1", port: 0 };

let served = 0;

/** The client in a header of version 2 for IPv4, as one reads it who trusts his proxy. */
function serve(header: Uint8Array): void {
  const [a, b, c, d] = header.subarray(16, 20);
  if (header[12] === 0x21 && header[13] === 0x11 && `${a}.${b}.${c}.${d}` !== "0.0.0.0") served++;
}

/** The length of a header, and that of the part that tells it. */
const lengthOf = (head: Uint8Array) => 16 + (head[14]! << 8 | head[15]!);

async function readHeader(conn: ConnLike): Promise<void> {
  const buffer = new Uint8Array(256);
  for (let count = 0, length = 16; count < length;) {
    count += await conn.read(buffer.subarray(count, length)) ?? NaN;
    if (count === 16) length = lengthOf(buffer);
  }
  serve(buffer);
}

async function echo(conn: ConnLike): Promise<void> {
  using _ = conn;
  if (byHand) await readHeader(conn);
  const buffer = new Uint8Array(64);
  for (let count; (count = await conn.read(buffer)) !== null;) await conn.write(buffer.subarray(0, count));
}

async function close(conn: ConnLike): Promise<void> {
  using _ = conn;
  if (byHand) await readHeader(conn);
  else served++;
}

/** By an accept loop. */
function loop(handle: (conn: ConnLike) => Promise<void>): number {
  const native = (bun === undefined ? Deno.listen(where) : listenOnBun(where)) as unknown as ListenerLike<
    ConnLike,
    { readonly port: number }
  >;
  const listener = limitedListener(native, limiter, options);
  (async () => {
    for await (const conn of listener) handle(conn).catch(() => {});
  })();
  return listener.addr.port;
}

/** By callbacks. By hand, a header that comes in pieces is not provided for. */
function callbacks(closes: boolean): number {
  const met = new WeakSet<BunSocket>();
  const handlers = {
    open(socket: BunSocket) {
      if (byHand || !closes) return;
      served++;
      socket.end();
    },
    data(socket: BunSocket, data: Uint8Array) {
      if (!byHand || met.has(socket)) return void socket.write(data);
      met.add(socket);
      serve(data);
      const rest = data.subarray(lengthOf(data));
      if (rest.length > 0) socket.write(rest);
      if (closes) socket.end();
    },
  };
  return bun.listen({ ...where, socket: limitSocketHandler(limiter, handlers as object, options) }).port;
}

/** By `node:net`. */
async function net(closes: boolean): Promise<number> {
  const onClient = (socket: Socket) => {
    if (closes) return void socket.destroy();
    socket.on("data", (data) => socket.write(data));
  };
  const server = createServer((socket) => {
    socket.on("error", () => {});
    if (!byHand) {
      served++;
      return onClient(socket);
    }
    let head: Uint8Array | null = null;
    const onReadable = () => {
      head ??= socket.read(16);
      const rest: Uint8Array | null = head && socket.read(lengthOf(head) - 16);
      if (rest === null) return;
      socket.off("readable", onReadable);
      const header = new Uint8Array(16 + rest.length);
      header.set(head!);
      header.set(rest, 16);
      serve(header);
      onClient(socket);
    };
    socket.on("readable", onReadable);
  });
  limitServer(server, limiter, options);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const WAYS: Readonly<Record<string, () => Promise<number[]> | number[]>> = {
  "accept loop": () => [loop(close), loop(echo)],
  "callbacks": () => [callbacks(true), callbacks(false)],
  "node:net": async () => [await net(true), await net(false)],
};

Promise.resolve(WAYS[way!]!()).then((ports) => serveCommands({ ports }, { served: () => served }));
