/**
 * Requests as servers announce them.
 *
 * @module
 */

import type { Recorded } from "../admission/open_conn.ts";
import type { Peer } from "../core/peer.ts";
import type { ServerSocket } from "./server_like.ts";

/**
 * A request of a server of `node:http`, `node:https` or `node:http2`: the `IncomingMessage`. For HTTP/2 it is an object with
 * these properties, since the limits come before the compatibility API.
 */
export interface ServerRequest {
  /** The method. */
  readonly method?: string | undefined;
  /** The path and the query. */
  readonly url?: string | undefined;
  /** The headers, by their lower-case names. */
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  /** The socket of its connection. */
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** An emitter that says when it is over. */
export interface Ending extends Recorded {
  readonly destroyed: boolean;
  on(event: string | symbol, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  removeAllListeners(...events: unknown[]): this;
  destroy(): unknown;
}

/** A `ServerResponse`. */
export interface ResponseLike extends Ending {
  readonly headersSent: boolean;
  writeHead(status: number, headers: object): unknown;
  end(body: string | Uint8Array): unknown;
}

/** A stream of HTTP/2. Its session is absent where the connection has ended. */
export interface StreamLike extends Ending {
  readonly session?: Ending & { readonly socket: ServerSocket } | undefined;
  readonly headersSent: boolean;
  readonly headRequest: boolean;
  readonly endAfterHeaders: boolean;
  respond(headers: object, options: { readonly endStream: boolean }): unknown;
  end(body: string | Uint8Array): unknown;
  close(code?: number): unknown;
}

/** What a request becomes: a response, a stream of HTTP/2, or a tunnel, which is a socket. */
export type Subject =
  | { readonly kind: "response"; readonly subject: ResponseLike }
  | { readonly kind: "stream"; readonly subject: StreamLike }
  | { readonly kind: "tunnel"; readonly subject: Ending & ServerSocket };

/** A request that is to be admitted or refused. */
export type Exchange = Subject & {
  readonly request: ServerRequest;
  /** The connection, which may end before the subject does: a socket, or a session of HTTP/2. */
  readonly conn: Ending | undefined;
  /** The client that was found. */
  client: Peer | undefined;
  /** Whether finding it has thrown. */
  failed?: boolean;
};

/**
 * The request that an event of a server announces, if it is such an event. The compatibility API of HTTP/2 announces
 * requests once more as those of HTTP/1.
 */
export function exchangeOf(event: unknown, first: unknown, second: unknown): Exchange | undefined {
  switch (event) {
    case "stream":
      return ofStream(first as StreamLike, new StreamRequest(first as StreamLike, second as ServerRequest["headers"]));
    case "request":
    case "checkContinue":
    case "checkExpectation":
    case "connect":
    case "upgrade": {
      const request = first as ServerRequest & { readonly stream?: StreamLike };
      if (request.stream !== undefined) return ofStream(request.stream, request);
      if (event === "connect" || event === "upgrade") {
        return {
          kind: "tunnel",
          subject: second as Ending & ServerSocket,
          request,
          conn: undefined,
          client: undefined,
        };
      }
      const conn = request.socket as Ending;
      return { kind: "response", subject: second as ResponseLike, request, conn, client: undefined };
    }
  }
}

function ofStream(stream: StreamLike, request: ServerRequest): Exchange {
  return { kind: "stream", subject: stream, request, conn: stream.session, client: undefined };
}

/** The request of a stream. */
class StreamRequest implements ServerRequest {
  readonly headers: ServerRequest["headers"];
  readonly #stream: StreamLike;

  constructor(stream: StreamLike, headers: ServerRequest["headers"]) {
    this.headers = headers;
    this.#stream = stream;
  }

  get method(): string | undefined {
    return this.headers[":method"] as string | undefined;
  }

  get url(): string | undefined {
    return this.headers[":path"] as string | undefined;
  }

  get socket(): ServerRequest["socket"] {
    return this.#stream.session?.socket ?? {};
  }
}
