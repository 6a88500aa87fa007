/**
 * A fetch handler as a listener of `node:http`.
 *
 * @module
 */

/** The part of an `IncomingMessage` that is read, of `node:http` and `node:http2`. */
export interface NodeRequestLike {
  /** The method, such as `GET`. */
  readonly method?: string | undefined;
  /** The path and the query. */
  readonly url?: string | undefined;
  /** The header fields by their names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The socket, which tells the client's address. */
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** The part of a `ServerResponse` that is used, of `node:http` and `node:http2`. */
export interface NodeResponseLike {
  /** Whether it was closed. */
  readonly destroyed?: boolean;
  /** Sends the status and the header fields. */
  writeHead(status: number, headers: Record<string, string | string[]>): unknown;
  /** Sends a part of the body. Returns whether it wants more. */
  write(chunk: Uint8Array): boolean;
  /** Ends the body. */
  end(): unknown;
  /** Calls a listener for an event. */
  on(event: "close" | "drain" | "error", listener: () => void): unknown;
}

/** Makes a listener of a handler that never rejects. */
export function nodeHandler(
  handle: (request: Request, info: unknown) => Promise<Response>,
): (request: NodeRequestLike, response: NodeResponseLike) => void {
  return (incoming, outgoing) => {
    // A client that leaves is no error of the server.
    outgoing.on("error", () => {});
    const sink = new Sink(outgoing);
    const request = requestOf(incoming);
    const response = request === undefined
      ? Promise.resolve(new Response(null, { status: 400 }))
      : handle(request, { incoming, outgoing });
    void response.then((response) => sink.send(response));
  };
}

/** Returns the request. `undefined` if it has no valid address. */
function requestOf({ method, url = "/", headers }: NodeRequestLike): Request | undefined {
  const host = headers["host"] ?? headers[":authority"];
  const fields = new Headers();
  try {
    for (const [name, value] of Object.entries(headers)) {
      // HTTP/2 has its pseudo-header fields among the others.
      if (value !== undefined && !name.startsWith(":")) fields.set(name, String(value));
    }
    // A path that begins with two slashes would be read as another host.
    const address = new URL(`http://${host ?? "unknown.invalid"}`);
    const [path, query = ""] = url.split(/\?(.*)/s);
    address.pathname = path!;
    address.search = query;
    return new Request(address, { method: method ?? "GET", headers: fields });
  } catch {
    return undefined;
  }
}

/** What a response is written to, as fast as it is read. */
class Sink {
  readonly #outgoing: NodeResponseLike;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #closed = false;
  /** Goes on where there is room again, or no reader any more. */
  #wake = () => {};

  constructor(outgoing: NodeResponseLike) {
    this.#outgoing = outgoing;
    outgoing.on("drain", () => this.#wake());
    outgoing.on("close", () => {
      this.#closed = true;
      this.#wake();
      this.#reader?.cancel().catch(() => {});
    });
  }

  /** Writes a response. It never rejects, unless the response's body fails. */
  async send({ status, headers, body }: Response): Promise<void> {
    if (this.#closed || this.#outgoing.destroyed) return void body?.cancel();
    const cookies = headers.getSetCookie();
    const fields = { ...Object.fromEntries(headers), ...cookies.length > 0 && { "set-cookie": cookies } };
    this.#outgoing.writeHead(status, fields);
    const reader = this.#reader = body?.getReader();
    while (reader !== undefined && !this.#closed) {
      const { done, value } = await reader.read();
      if (done) break;
      const drained = new Promise<void>((resolve) => this.#wake = resolve);
      if (!this.#outgoing.write(value) && !this.#closed) await drained;
    }
    this.#outgoing.end();
  }
}
