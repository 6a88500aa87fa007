/**
 * Requests with bodies in every state, whose clients leave while the handler runs.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import type { HttpClient } from "../../../testing/http_client.ts";

const LONG = "x".repeat(70_000);

/** What clients send: the head and the body, in writes of their own where there are several. */
export const BODIES: Readonly<Record<string, readonly string[]>> = {
  "no body": [request("GET", "Connection: keep-alive")],
  "no body, and no header Connection": [request("GET")],
  "a short body with the head": [request("POST", "Content-Length: 10") + "0123456789"],
  "a short body after the head": [request("POST", "Content-Length: 10"), "0123456789"],
  "a long body": [request("POST", "Content-Length: 70000"), LONG],
  "a long body of a GET": [request("GET", "Connection: keep-alive", "Content-Length: 70000"), LONG],
  "half a body": [request("POST", "Content-Length: 100"), "0123456789"],
  "a body that does not begin": [request("POST", "Connection: keep-alive", "Content-Length: 100")],
  "a body in chunks": [request("POST", "Transfer-Encoding: chunked"), "5\r\nhello\r\n", "0\r\n\r\n"],
  "half a body in chunks": [request("POST", "Connection: keep-alive", "Transfer-Encoding: chunked"), "5\r\nhello\r\n"],
  "a body that waits for a go-ahead": [request("POST", "Expect: 100-continue", "Content-Length: 10")],
  "a request behind it": [request("GET", "Connection: keep-alive") + request("GET")],
};

/** What handlers do with the bodies before they never settle. */
export const USES: Readonly<Record<string, (request: Request) => unknown>> = {
  "does not read": () => {},
  "looks at": (request) => request.body,
  "reads a part of": async (request) => await request.body?.getReader().read(),
  "reads a part of and unlocks": async (request) => {
    const reader = request.body?.getReader();
    await reader?.read();
    reader?.releaseLock();
  },
  "locks": (request) => request.body?.getReader(),
  "tees": (request) => request.body?.tee(),
  "clones": (request) => request.clone(),
  "cancels": async (request) => await request.body?.cancel(),
  "reads": async (request) => await request.arrayBuffer(),
  "listens to the signal, and does not read,": (request) => request.signal.addEventListener("abort", () => {}),
};

/** The ways in which clients leave. */
export const LEAVES = ["fin", "reset"] as const;

/** A handler that uses a body and never settles, whatever comes of that. */
export function usesAndHangs(use: (request: Request) => unknown): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      await use(request);
    } catch {
      // The client has left while the body was read.
    }
    return await new Promise<never>(() => {});
  };
}

/** Sends what is in {@linkcode BODIES}, in segments of their own. */
export async function sendBody(client: HttpClient, body: readonly string[]): Promise<void> {
  client.socket.setNoDelay(true);
  for (const part of body) {
    client.write(part);
    for (let i = 0; i < 3; i++) await setImmediate();
  }
}

function request(method: string, ...headers: string[]): string {
  return [`${method} / HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n");
}
