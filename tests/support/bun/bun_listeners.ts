/**
 * Bun's own listeners, and clients with and without TLS, for the tests that are Bun's alone.
 *
 * @module
 */

import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { fileURLToPath } from "node:url";
import { assertStrictEquals } from "@std/assert";
import {
  type LimitedConn,
  type LimitedListener,
  limitedListener,
  type LimitedListenerOptions,
  type Limiter,
  type LimitsOptions,
} from "@connlimit/connlimit";
import { type BunConn, listen, type NetAddr } from "@connlimit/connlimit/bun";
import { certificate, type Client, connected, connectFrom, ended, eventually, openSockets, within } from "../net.ts";
import { findSockets, hiddenSockets, type Lack } from "../platform.ts";

/** A kind of connection. */
export interface Kind {
  readonly name: string;
  readonly tls: boolean;
  /** Whether a connection can still be written to when its peer has ended its side. */
  readonly halfOpen: boolean;
}

/** Without TLS. */
export const PLAIN: Kind = { name: "TCP", tls: false, halfOpen: true };
/** With it. */
export const TLS: Kind = { name: "TLS", tls: true, halfOpen: true };

/** All that Bun's sockets differ in. */
export const KINDS: readonly Kind[] = [PLAIN, TLS].flatMap((kind) => [
  { ...kind, name: `${kind.name}, half-open` },
  { ...kind, name: `${kind.name}, not half-open`, halfOpen: false },
]);

export type Conn = LimitedConn<BunConn>;

/** What `Bun.listen()` is told besides its handlers. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
  readonly allowHalfOpen: boolean;
  readonly tls?: ReturnType<typeof certificate>;
}

/** A port for connections of a kind. */
export function address({ tls, halfOpen }: Kind): Address {
  return { hostname: "0.0.0.0", port: 0, allowHalfOpen: halfOpen, ...(tls ? { tls: certificate() } : {}) };
}

/** What `Bun.listen()` is told for a listener without handlers. */
export const onLoopback = { hostname: "127.0.0.1", port: 0, socket: { data(): void {} } };

/** A limited listener: over `listen()` for half-open connections, and else over a `Bun.listen()` as it is. */
export function limited(
  kind: Kind,
  limits?: Limiter | LimitsOptions,
  options?: LimitedListenerOptions<BunConn>,
): LimitedListener<BunConn, NetAddr> {
  const { allowHalfOpen, ...where } = address(kind);
  if (allowHalfOpen) return limitedListener(listen(where), limits, options);
  return limitedListener(Bun.listen({ ...where, socket: { data() {} } }), limits, options);
}

/** Connects in the way that the listener expects; with TLS it resolves when the handshake is done. */
export async function connect({ tls }: Kind, port: number, localAddress = "127.0.0.1"): Promise<Client> {
  if (!tls) return await connectFrom(localAddress, port);
  const target = { host: "127.0.0.1", port, localAddress, servername: "localhost", ca: certificate().cert };
  return await connected(connectTls(target), "secureConnect");
}

/** Connects without a word and waits to be turned away. Resolves to how that was done: by a proper end, or by a reset. */
export async function turnedAway(port: number, localAddress = "127.0.0.1"): Promise<"FIN" | "RST"> {
  using client = await connectFrom(localAddress, port);
  let failed = false;
  client.socket.on("error", () => failed = true);
  assertStrictEquals(await ended(client), "");
  return failed ? "RST" : "FIN";
}

/** Connects, unless it is turned away first. */
export async function tryConnect(kind: Kind, port: number, localAddress?: string): Promise<Client | undefined> {
  return await connect(kind, port, localAddress).catch(() => undefined);
}

type Run = () => Promise<void> | void;

/** `test()` for tests that ask the system for this process's sockets. */
export function testSockets(name: string, ...args: [Run] | [{ readonly skip: Lack }, Run]): void {
  const [{ skip }, run] = args.length === 2 ? args : [{ skip: false as Lack }, args[0]];
  test(name, { skip: hiddenSockets || skip }, run);
}

/** Whether a descriptor is open. */
export type IsOpen = () => boolean;

/** Watches the server's side of the only connection that was made since. */
export function served(before: ReadonlyMap<number, number>, { socket }: Client): IsOpen {
  const { fd } = (socket as unknown as { readonly _handle: { readonly fd: number } })._handle;
  const made = [...findSockets()].filter(([other, node]) => other !== fd && before.get(other) !== node);
  assertStrictEquals(made.length, 1);
  const [[server, node]] = made as [[number, number]];
  return () => findSockets().get(server) === node;
}

/** Text as it is sent. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

const ROOT = new URL("../../../", import.meta.url);

/** A program of Bun's in a process of its own. */
export interface Program {
  readonly pid: number;
  /** What it prints first. */
  readonly started: Promise<string>;
  /** What else it prints until it ends. */
  readonly output: Promise<string>;
  readonly exited: Promise<number | null>;
  end(): void;
}

/** Runs Bun at the repository's root, until it has been used. */
export async function withBun<T>(args: readonly string[], use: (program: Program) => Promise<T>): Promise<T> {
  const before = openSockets();
  const child = Bun.spawn([process.execPath, ...args], { cwd: fileURLToPath(ROOT), stdin: "ignore", stdout: "pipe" });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const started = reader.read().then(({ value = "" }) => value);
  const output = started.then(async () => {
    let text = "";
    for (let chunk; (chunk = await reader.read()).value !== undefined;) text += chunk.value;
    return text;
  });
  const exited = child.exited.then(() => child.exitCode);
  try {
    return await use({ pid: child.pid, started, output, exited, end: () => child.kill() });
  } finally {
    child.kill();
    await within(Promise.all([exited, output]), "the process to end");
    // Its output comes by a socket, which the next test must not count.
    await eventually(() => openSockets() === before, "its output to be closed");
  }
}
