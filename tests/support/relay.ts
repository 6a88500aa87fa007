/**
 * A relay between a client and a server, which can stop to take what the server sends.
 *
 * @module
 */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

const ignore = () => {};

/**
 * Stands between a client and a server. No runtime's own client stops reading as surely: what they read from a TLS socket
 * that is paused, differs.
 */
export class Relay implements Disposable {
  readonly port: number;
  readonly #server: Server;
  #near: Socket | undefined;
  #far: Socket | undefined;
  #bytes = 0;

  private constructor(server: Server, to: () => Socket) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (near) => {
      const far = this.#far = to();
      this.#near = near;
      far.on("error", ignore).on("close", () => near.destroy());
      near.on("error", ignore).on("close", () => far.destroy());
      near.pipe(far).pipe(near);
    });
  }

  /** Makes a relay for one client. */
  static async to(server: () => Socket): Promise<Relay> {
    const listening = createServer().listen(0, "127.0.0.1");
    await once(listening, "listening");
    return new Relay(listening, server);
  }

  /** What the kernel has of what the server has sent stays there from now on. */
  stop(): void {
    const far = this.#far!;
    far.unpipe(this.#near).pause().on("data", ({ length }) => {
      this.#bytes += length;
      far.pause();
    });
  }

  /** Takes a piece of what there is. Returns how many bytes there were so far. */
  sip(): number {
    this.#far!.resume();
    return this.#bytes;
  }

  /** Whether the connection to the server is closed, after all that has come is taken. */
  get closed(): boolean {
    this.#far!.resume();
    return this.#far!.closed;
  }

  [Symbol.dispose](): void {
    this.#near?.destroy();
    this.#far?.destroy();
    this.#server.close();
  }
}

/** Connects to a server on loopback. */
export const toPort = (port: number) => (localAddress = "127.0.0.1"): Socket =>
  connect({ port, host: "127.0.0.1", localAddress });
