/**
 * A server that `limitServer()` limits, on every runtime.
 *
 * @module
 */

import { once } from "node:events";
import type * as net from "node:net";
import { assertEquals } from "@std/assert";
import type { Limiter, LimitsOptions } from "@connlimit/connlimit";
import { type LimitedServer, limitServer, type LimitServerOptions } from "@connlimit/connlimit/node";
import { eventually, within } from "../net.ts";
import type { Server } from "./server_kinds.ts";

/** How a limited server may be set up. */
export interface Setup {
  readonly limits?: Limiter | LimitsOptions;
  readonly options?: LimitServerOptions<net.Socket>;
  /** The address that it listens at, if not 127.0.0.1. */
  readonly host?: string;
  /** The Unix socket that it listens at instead. */
  readonly path?: string;
}

/** A limited server that listens. In the end it closes what is open, and fails where a slot stays taken. */
export class Limited<S extends Server = Server> implements AsyncDisposable {
  readonly server: S;
  readonly attachment: LimitedServer;
  /** The sockets that it has admitted, in their order, as its listeners know them. */
  readonly sockets: net.Socket[] = [];

  private constructor(server: S, { limits, options }: Setup) {
    this.server = server;
    this.attachment = limitServer(server, limits, options);
    server.on("connection", (socket: net.Socket) => this.sockets.push(socket));
    // What a server of TLS is to talk through.
    server.on("secureConnection", (socket: net.Socket) => this.sockets.push(socket));
  }

  /** Limits a server and waits until it listens. */
  static async listen<S extends Server>(server: S, setup: Setup = {}): Promise<Limited<S>> {
    const limited = new Limited(server, setup);
    const { path, host = "127.0.0.1" } = setup;
    server.listen(path === undefined ? { port: 0, host } : { path });
    await once(server, "listening");
    return limited;
  }

  get limiter(): Limiter {
    return this.attachment.limiter;
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  /** Waits until so many connections are admitted and so many refused, since the start. */
  async answered(admitted: number, refused: number): Promise<void> {
    const counts = () => [this.limiter.stats().admitted, this.limiter.stats().refused];
    await eventually(() => counts()[0]! >= admitted && counts()[1]! >= refused, `${admitted}, ${refused} answered`);
    assertEquals(counts(), [admitted, refused]);
  }

  /** Waits until no slot is taken. */
  async freed(): Promise<void> {
    await eventually(() => this.limiter.open === 0, "every slot to be free");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.server.listening ? once(this.server, "close") : undefined;
    if (closed !== undefined) this.server.close();
    for (const socket of this.sockets) socket.destroy();
    if (closed !== undefined) await within(closed, "the server to be closed");
    await this.freed();
  }
}
