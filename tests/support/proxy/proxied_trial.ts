/**
 * A test of a server behind a proxy, on one adapter.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter, logRefusals, type RefusalReason } from "@connlimit/connlimit";
import { proxyProtocol, type ProxyProtocolOptions } from "@connlimit/connlimit/proxy";
import { eventually } from "../net.ts";
import { bytes } from "./headers.ts";
import { type Adapter, type Server, Visitor } from "./proxied.ts";

/** A test of one adapter. */
export class Trial implements AsyncDisposable {
  readonly limiter: Limiter = new Limiter({ maxPerClient: 2 });
  readonly refused: [reason: string, address: string | undefined][] = [];
  readonly errors: unknown[] = [];
  readonly #lines: string[] = [];
  readonly #log = logRefusals({ period: 2 ** 31 - 1, logger: { warn: (line) => this.#lines.push(line as string) } });
  readonly #adapter: Adapter;
  readonly #path: string | undefined;
  readonly #visitors: Visitor[] = [];
  #server: Server | undefined;

  /** @param path Where the server listens, if not at a TCP port. */
  constructor(adapter: Adapter, path?: string) {
    this.#adapter = adapter;
    this.#path = path;
  }

  /** The address of those who connect. Those of a Unix socket have none. */
  get #peer(): string | undefined {
    return this.#path === undefined ? "127.0.0.1" : undefined;
  }

  get server(): Server {
    return this.#server!;
  }

  async serve(options: Partial<ProxyProtocolOptions> = {}): Promise<this> {
    const hooks = {
      onRefused: (
        refusal: { reason: RefusalReason },
        conn: { remoteAddress?: string; remoteAddr?: { hostname: string } },
      ) => {
        this.refused.push([refusal.reason, conn.remoteAddress ?? conn.remoteAddr?.hostname]);
        this.#log(refusal, conn);
      },
      onError: (error: unknown) => void this.errors.push(error),
    };
    const client = proxyProtocol({ trusted: ["127.0.0.1"], ...options });
    this.#server = await this.#adapter.serve({
      limiter: this.limiter,
      hooks: hooks as never,
      client,
      ...this.#path !== undefined && { path: this.#path },
    });
    return this;
  }

  async visit(from?: string): Promise<Visitor> {
    const visitor = await Visitor.connect(this.#path ?? this.server.port, this.#adapter, from);
    this.#visitors.push(visitor);
    return visitor;
  }

  /** Connects, sends a header, and has something echoed. */
  async served(header: Uint8Array, words: Uint8Array = bytes("hello")): Promise<Visitor> {
    const visitor = await this.visit();
    assertEquals([...await visitor.echo(words, header) ?? []], [...words]);
    return visitor;
  }

  /**
   * Waits for a refusal.
   *
   * @param address The address that the connection shows.
   * @param named The client in the log.
   */
  async turnedAway(
    visitor: Visitor,
    reason: RefusalReason,
    address: string | undefined = this.#peer,
    named: string = address ?? "unix",
  ): Promise<void> {
    assertStrictEquals(await visitor.ended(), "");
    assertEquals(this.refused.splice(0), [[reason, address]]);
    // At once, or as the only one of those without a line.
    this.#log.flush();
    const [line, ...more] = this.#lines.splice(0);
    const client = / (key ".*"|[^ ]+)(?: \(|: 1$)/.exec(line!)?.[1];
    assertEquals([client, more], [named, []]);
  }

  /** Waits until nothing is open and nothing pending. */
  async empty(): Promise<void> {
    for (const visitor of this.#visitors.splice(0)) visitor[Symbol.dispose]();
    await eventually(() => this.limiter.open === 0 && this.limiter.stats().pending === 0, "everything to be free");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.empty();
    this.#log[Symbol.dispose]();
    await this.#server?.[Symbol.asyncDispose]();
    await eventually(() => this.limiter.open === 0, "every slot to be free");
  }
}

/** A header of a client. */
export function headerOf(address: string, port = 50_000): Uint8Array {
  return bytes(
    `PROXY ${address.includes(":") ? "TCP6" : "TCP4"} ${address} ${
      address.includes(":") ? "::1" : "10.0.0.1"
    } ${port} 443\r\n`,
  );
}

/** Bytes that are not the same anywhere. */
export function manyBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => at * 31 ^ at >> 8 ^ at >> 16);
}
