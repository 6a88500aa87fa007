/**
 * Servers behind a proxy, and their clients, on every adapter.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { connect as connectTls } from "node:tls";
import type {
  ClientFinder,
  ConnLike,
  LimitedListenerOptions,
  Limiter,
  ListenerLike,
  RefusalHooks,
} from "@connlimit/connlimit";
import { limitedListener } from "@connlimit/connlimit";
import { type ProxyInfo, proxyOf } from "@connlimit/connlimit/proxy";
import { type Client, connectFrom, connectToPath, ended, eventually, within } from "../net.ts";

/** What a server has seen of a connection. */
export interface Seen {
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly proxy: ProxyInfo | undefined;
}

/** An echo server that listens. It ends with whatever it has open. */
export interface Server extends AsyncDisposable {
  /** Of no meaning where there is a path. */
  readonly port: number;
  /** The connections that its handlers have met, in their order. */
  readonly seen: readonly Seen[];
  /** Stops as its users would, which must not wait for what is pending; absent where it cannot. */
  stop?(): Promise<unknown>;
}

/** What a server is made with. */
export interface Setup {
  readonly limiter: Limiter;
  readonly hooks: RefusalHooks<never>;
  readonly client: ClientFinder;
  /** Where to listen, in place of a TCP port of its own. */
  readonly path?: string;
}

/** An adapter with an echo server. */
export interface Adapter {
  readonly name: string;
  serve(setup: Setup): Server | Promise<Server>;
  /** How clients speak to it: HTTP clients send their words as the body of a request. */
  readonly http?: boolean;
  readonly tls?: boolean;
  /** Whether it stops accepting where too many are pending, so that the others wait in the backlog. */
  readonly backlog?: boolean;
}

/** A client, or a proxy that passes one on. */
export class Visitor implements Disposable {
  readonly tcp: Client;
  /** Of no meaning over a Unix socket. */
  readonly localPort: number;
  readonly #http: boolean;
  readonly #tls: boolean;
  #client: Client;
  #received: Uint8Array[] = [];
  #closed = false;

  constructor(tcp: Client, { http = false, tls = false }: Pick<Adapter, "http" | "tls">) {
    this.tcp = this.#client = tcp;
    this.localPort = tcp.socket.localPort!;
    this.#http = http;
    this.#tls = tls;
    tcp.socket.setNoDelay(true);
    if (!tls) this.#listen();
    tcp.socket.on("close", () => this.#closed = true);
  }

  static async connect(at: number | string, how: Pick<Adapter, "http" | "tls">, from = "127.0.0.1"): Promise<Visitor> {
    return new Visitor(await (typeof at === "string" ? connectToPath(at) : connectFrom(from, at)), how);
  }

  #listen(): void {
    this.#client.socket.on("error", () => {});
    this.#client.socket.on("data", (chunk: Uint8Array) => void this.#received.push(chunk));
  }

  /** Sends bytes below TLS. */
  async send(bytes: Uint8Array): Promise<void> {
    await new Promise((resolve) => this.tcp.socket.write(bytes, resolve));
  }

  /** Starts TLS, where the server speaks it. */
  startTls(): void {
    if (!this.#tls || this.#client !== this.tcp) return;
    this.#client = { ...this.tcp, socket: connectTls({ socket: this.tcp.socket, rejectUnauthorized: false }) };
    this.#listen();
  }

  /** The bytes that make the server echo some. */
  framed(words: Uint8Array): Uint8Array {
    if (!this.#http) return words;
    const head = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${words.length}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), words]);
  }

  /** Sends words, behind other bytes if there are any. Resolves to what is echoed, or to nothing where the connection ends. */
  async echo(words: Uint8Array, ahead: Uint8Array = new Uint8Array(0)): Promise<Uint8Array | undefined> {
    this.#received = [];
    if (this.#tls && ahead.length > 0) await this.send(ahead);
    this.startTls();
    const sent = this.framed(words);
    this.#client.socket.write(this.#tls || ahead.length === 0 ? sent : Buffer.concat([ahead, sent]));
    await eventually(() => this.#closed || this.#echoed().length >= words.length, "an echo or the end");
    const echoed = this.#echoed();
    return echoed.length === 0 ? undefined : echoed;
  }

  #echoed(): Uint8Array {
    const received = Buffer.concat(this.#received);
    if (!this.#http) return received;
    const end = received.indexOf("\r\n\r\n");
    return end < 0 ? received.subarray(0, 0) : received.subarray(end + 4);
  }

  /** Waits for the end of the connection. Resolves to all that has come below TLS. */
  async ended(): Promise<string> {
    await ended(this.tcp);
    return Buffer.concat(this.#received).toString();
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
    this.tcp[Symbol.dispose]();
  }
}

/** An echo server over a limited listener. */
export function serveListener<C extends ConnLike>(
  native: ListenerLike<C, { readonly port?: number }>,
  { limiter, hooks, client }: Setup,
): Server {
  const listener = limitedListener(native, limiter, { ...hooks, client } as LimitedListenerOptions<C>);
  const seen: Seen[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      const { hostname: address, port } = conn.remoteAddr as { readonly hostname: string; readonly port: number };
      seen.push({ address, port, proxy: proxyOf(conn) });
      conn.readable.pipeTo(conn.writable).catch(() => {});
    }
  })();
  return {
    port: listener.addr.port!,
    seen,
    stop: () => listener.shutdown({ timeout: 0 }),
    async [Symbol.asyncDispose]() {
      await listener.shutdown({ timeout: 0 });
      await within(serving, "the loop to end");
    },
  };
}
