/**
 * What adapters hand to fetch handlers in place of a runtime's second argument.
 *
 * @module
 */

import { type Peer, UNIX_PEER } from "../core/peer.ts";

/** The part of an `IncomingMessage` that is read. */
interface Incoming {
  readonly socket:
    & { readonly remoteAddress?: string | undefined; readonly localAddress?: string | undefined }
    & Closing;
}

/** What is told to have closed. */
interface Closing {
  readonly destroyed?: boolean;
  once?(event: "close", listener: () => void): unknown;
}

/** The request and the response of `node:http` under a fetch handler. */
interface Exchange {
  readonly incoming: Incoming;
  /** Absent for an upgrade. */
  readonly outgoing: Closing | undefined;
}

/** A request of srvx, which hands nothing else to its handlers. */
interface SrvxRequest {
  readonly runtime?: {
    readonly node?: { readonly req?: Incoming; readonly res?: Closing };
    readonly deno?: { readonly info?: object };
    readonly bun?: { readonly server?: object };
  };
}

/**
 * What a handler's second argument should have been: what srvx has of the runtime's own, or the request and response of
 * Node under `@hono/node-server` and srvx; otherwise what it is. Nothing here comes from a header.
 */
export function adaptedInfo(request: Request, info: unknown): unknown {
  if (info === undefined || info === null) {
    const runtime = (request as SrvxRequest).runtime;
    if (runtime === undefined) return info;
    const { node, deno, bun } = runtime;
    return node?.req === undefined ? bun?.server ?? deno?.info ?? info : NodeInfo.of(node.req, node.res);
  }
  const { incoming, outgoing } = info as Partial<Exchange>;
  return incoming?.socket === undefined ? info : NodeInfo.of(incoming, outgoing);
}

const infos = new WeakMap<Incoming, NodeInfo>();

/** What the runtime would tell of a request of `node:http`, as Deno does. */
export class NodeInfo {
  readonly #incoming: Incoming;
  readonly #outgoing: Closing | undefined;
  #completed: Promise<void> | undefined;

  private constructor(incoming: Incoming, outgoing: Closing | undefined) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  /** The same for all limiters of a request. */
  static of(incoming: Incoming, outgoing: Closing | undefined): NodeInfo {
    let info = infos.get(incoming);
    if (info === undefined) infos.set(incoming, info = new NodeInfo(incoming, outgoing));
    return info;
  }

  /** The socket's peer. A session of HTTP/2 that has ended throws where its socket is read. */
  get peer(): Peer | undefined {
    try {
      const { remoteAddress, localAddress } = this.#incoming.socket;
      if (remoteAddress !== undefined) return remoteAddress;
      return localAddress === undefined && !this.#incoming.socket.destroyed ? UNIX_PEER : undefined;
    } catch {
      return undefined;
    }
  }

  /** Resolves when the response has closed; for an upgrade, when its socket has. */
  get completed(): Promise<void> {
    return this.#completed ??= new Promise((resolve) => {
      const ending = this.#outgoing ?? this.#incoming.socket;
      if (ending.destroyed || ending.once === undefined) resolve();
      else ending.once("close", () => resolve());
    });
  }
}
