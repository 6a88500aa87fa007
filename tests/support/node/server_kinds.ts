/**
 * Servers of all kinds that `limitServer()` takes, and clients for them, on every runtime.
 *
 * @module
 */

import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import * as net from "node:net";
import * as tls from "node:tls";
import { certificate, type Client, connectFrom, within } from "../net.ts";

/** Any of the servers. */
export type Server = net.Server | http.Server | https.Server | http2.Http2Server | http2.Http2SecureServer;

/** What is asked of a server. */
type Question = "answer" | "hang";

/** A kind of server: what it is, and what its clients say. */
export interface Kind {
  /** Makes one, which tells when it has a question that it is to leave open. */
  readonly create: (hangs?: () => void) => Server;
  /** The protocols of which its clients offer one in the handshake, where there is a handshake. */
  readonly secure: readonly string[] | false;
  /** What a client sends that has only begun. */
  readonly half: string | Uint8Array;
  /** Asks the server. Resolves when the server has answered, or at once for what is to hang. */
  readonly ask: (client: Client, question: Question) => Promise<void>;
}

/** Takes no notice of an error, as of a connection that is reset on purpose. */
export function ignore(): void {}

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** The beginning of a TLS record with a `ClientHello`. */
const HALF_HELLO = new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01]);

function answerWords(hangs: () => void): (socket: net.Socket) => void {
  return (socket) => {
    socket.on("error", ignore);
    socket.on("data", (data) => data.includes("hang") ? hangs() : socket.write("an answer"));
  };
}

function answerRequests(hangs: () => void) {
  return ({ url }: { url?: string | undefined }, response: { end(text: string): unknown }): void => {
    if (url === "/hang") hangs();
    else response.end("an answer");
  };
}

async function say({ socket }: Client, words: string, question: Question): Promise<void> {
  const answered = question === "answer" && once(socket, "data");
  socket.write(words);
  if (answered) await within(answered, "an answer");
}

const ask: Kind["ask"] = (client, question) => say(client, question, question);
const get: Kind["ask"] = (client, question) =>
  say(client, `GET /${question} HTTP/1.1\r\nHost: localhost\r\n\r\n`, question);

/** By a client of HTTP/2 that makes three requests at once on one connection. */
const stream: Kind["ask"] = async ({ socket }, question) => {
  const session = http2.connect("http://localhost", { createConnection: () => socket });
  session.on("error", ignore);
  const answers = [1, 2, 3].map(async () => {
    const request = session.request({ ":path": `/${question}` });
    request.on("error", ignore);
    request.resume();
    if (question === "answer") await once(request, "end");
  });
  await within(Promise.all(answers), "three answers");
};

/** Every kind of server. Errors of single clients must not end them. */
export const KINDS: Readonly<Record<string, Kind>> = {
  net: { create: (hangs = ignore) => net.createServer(answerWords(hangs)), secure: false, half: "an", ask },
  tls: {
    create: (hangs = ignore) => tls.createServer(certificate(), answerWords(hangs)).on("tlsClientError", ignore),
    secure: [],
    half: HALF_HELLO,
    ask,
  },
  http: {
    create: (hangs = ignore) => http.createServer(answerRequests(hangs)),
    secure: false,
    half: "GET / HT",
    ask: get,
  },
  https: {
    create: (hangs = ignore) => https.createServer(certificate(), answerRequests(hangs)).on("tlsClientError", ignore),
    secure: ["http/1.1"],
    half: HALF_HELLO,
    ask: get,
  },
  "http2 cleartext": {
    create: (hangs = ignore) => http2.createServer(answerRequests(hangs)).on("sessionError", ignore),
    secure: false,
    half: PREFACE.slice(0, 10),
    ask: stream,
  },
  http2: {
    create: (hangs = ignore) =>
      http2.createSecureServer(certificate(), answerRequests(hangs)).on("tlsClientError", ignore).on(
        "sessionError",
        ignore,
      ),
    secure: ["h2"],
    half: HALF_HELLO,
    ask: stream,
  },
};

/** Connects to a server of some kind; with TLS, up to the end of the handshake. A reset is that of the TCP connection. */
export async function connectTo({ secure }: Kind, port: number, address = "127.0.0.1"): Promise<Client> {
  const client = await connectFrom(address, port);
  return secure ? await shakeHands(client, secure) : client;
}

/** Makes a TLS connection of a TCP connection. */
export async function shakeHands(client: Client, protocols: readonly string[] = []): Promise<Client> {
  const socket = tls.connect({ socket: client.socket, rejectUnauthorized: false, ALPNProtocols: [...protocols] });
  socket.on("error", ignore);
  await within(once(socket, "secureConnect"), "the handshake");
  return { ...client, socket, fin: () => void socket.end() };
}
