/**
 * A client of HTTP/1.1 over a raw socket, which can choose its address, say half of a request, and leave in any way.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { HTTPParser } from "http-parser-js";
import { CLIENT_ADDRESS } from "./loopback.ts";
import { type Client, connectFrom, within } from "./net.ts";

/** An answer, or its head. */
export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * Reads an answer, or the head of one.
 *
 * @throws {Error} If the head is not valid.
 */
export function parseAnswer(text: string): Answer {
  const parser = new HTTPParser("RESPONSE");
  let head: Omit<Answer, "body"> | undefined;
  let body = "";
  parser[HTTPParser.kOnHeadersComplete] = ({ statusCode: status, statusMessage: statusText, headers: flat }) => {
    const headers = new Headers();
    for (let i = 0; i < flat.length; i += 2) headers.append(flat[i]!, flat[i + 1]!);
    head = { status, statusText, headers };
  };
  parser[HTTPParser.kOnBody] = (buffer, offset, length) => {
    body += buffer.toString("latin1", offset, offset + length);
  };
  const result = parser.execute(Buffer.from(text, "latin1"));
  if (head === undefined) throw result instanceof Error ? result : new Error(`no head: ${JSON.stringify(text)}`);
  return { ...head, body };
}

/** One connection. Requests go one after the other, and so do their answers. */
export class HttpClient implements Disposable {
  readonly #client: Client;
  #received = "";
  #ended = false;
  #wake = () => {};
  #reads = false;

  constructor(client: Client) {
    this.#client = client;
    client.socket.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Connects from an address of choice. */
  static async connect(port: number, address: string = CLIENT_ADDRESS): Promise<HttpClient> {
    return new HttpClient(await connectFrom(address, port));
  }

  /** Connects from the usual address, and sends a request. */
  static async ask(port: number, request: string, ...headers: string[]): Promise<HttpClient> {
    const client = await HttpClient.connect(port);
    client.send(request, ...headers);
    return client;
  }

  get socket(): Socket {
    return this.#client.socket;
  }

  /** Whether the connection has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Sends a request such as `GET /path`, with headers and without a body, unless that follows by `write()`. */
  send(request: string, ...headers: string[]): void {
    this.write([`${request} HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n"));
  }

  /** Sends anything. */
  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Reads the head of an answer. */
  async head(): Promise<Answer> {
    return parseAnswer(await this.until("\r\n\r\n"));
  }

  /** Reads an answer with its body, whose length it tells, or which comes in chunks. */
  async answer(): Promise<Answer> {
    return await this.body(await this.head());
  }

  /** Reads the body after a head. */
  async body(head: Answer): Promise<Answer> {
    if (head.status === 304 || head.status === 204) return head;
    const length = head.headers.get("content-length");
    if (length !== null) return { ...head, body: await this.read(Number(length)) };
    let body = "";
    for (;;) {
      const size = await this.until("\r\n");
      const chunk = await this.read(parseInt(size, 16) + 2);
      if (chunk === "\r\n") return { ...head, body };
      body += chunk.slice(0, -2);
    }
  }

  /** Reads so many characters. */
  read(length: number): Promise<string> {
    return this.#take((text) => text.length >= length ? length : -1, `${length} characters`);
  }

  /** Reads until some text has come. */
  until(text: string): Promise<string> {
    const end = (received: string) => received.includes(text) ? received.indexOf(text) + text.length : -1;
    return this.#take(end, JSON.stringify(text));
  }

  /** Waits until the server has ended the connection. Resolves to what has come and was not read. */
  async rest(): Promise<string> {
    await this.#until(() => this.#ended, "the end of the connection");
    return this.#received;
  }

  /** Ends the connection with a FIN. */
  fin(): void {
    this.#client.fin();
  }

  /** Ends the connection with a RST. */
  reset(): void {
    this.#client.reset();
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  /** Takes what has come up to an index, once that is not negative. */
  async #take(find: (text: string) => number, what: string): Promise<string> {
    await this.#until(() => find(this.#received) >= 0 || this.#ended, what);
    const end = find(this.#received);
    if (end < 0) {
      throw new Error(`the connection has ended before ${what}; there was ${JSON.stringify(this.#received)}`);
    }
    const text = this.#received.slice(0, end);
    this.#received = this.#received.slice(end);
    return text;
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    // Whoever asks for nothing does not read.
    if (!this.#reads) {
      this.#reads = true;
      this.socket.on("data", (data) => {
        this.#received += data.toString("latin1");
        this.#wake();
      });
    }
    while (!condition()) await within(new Promise<void>((resolve) => this.#wake = resolve), what);
  }
}
