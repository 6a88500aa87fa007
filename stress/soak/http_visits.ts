/**
 * What clients do with servers of HTTP.
 *
 * @module
 */

import { HttpClient } from "../../testing/http_client.ts";
import { CLOSE, GARBAGE, HEADERS, HELLO } from "../../testing/frames.ts";
import type { Visit } from "./echo_visits.ts";
import type { Outcome, Visitor } from "./visitor.ts";

/** What a client may do over HTTP. */
type HttpVisit = (http: HttpClient, visitor: Visitor) => Promise<Outcome>;

const REFUSALS: readonly number[] = [403, 429, 503];

/** The server has refused. */
class Refused extends Error {}

/** Those that have been answered, and so not been refused when they were accepted. */
const answered = new WeakSet<HttpClient>();

/** Reads the head of an answer, unless it is a refusal. */
async function head(http: HttpClient, expected = 200): ReturnType<HttpClient["head"]> {
  const answer = await http.head();
  answered.add(http);
  if (REFUSALS.includes(answer.status)) throw new Refused();
  if (answer.status !== expected) throw new Error(`expected ${expected}, got ${answer.status}`);
  return answer;
}

/** Reads an answer, unless it is a refusal. */
async function body(http: HttpClient): Promise<string> {
  return (await http.body(await head(http))).body;
}

/** Asks a few times over one connection. */
async function asks(http: HttpClient, visitor: Visitor): Promise<Outcome> {
  for (let left = visitor.random.integer(1, 4); left > 0; left--) {
    http.send("GET /");
    if (await body(http) !== "text\n") return "broken";
  }
  await visitor.leave();
  return "served";
}

/** Sends much, and reads it all. */
async function sendsMuch(http: HttpClient, visitor: Visitor): Promise<Outcome> {
  const text = "x".repeat(visitor.random.integer(64 << 10, 512 << 10));
  http.send("POST /echo", `Content-Length: ${text.length}`);
  http.write(text);
  const answer = await body(http);
  await visitor.leave();
  return answer === text ? "served" : "broken";
}

/** Sends a request a little at a time. */
async function sendsSlowly(http: HttpClient, visitor: Visitor): Promise<Outcome> {
  const pieces = ["POST /echo HT", "TP/1.1\r\nHost: local", "host\r\nContent-Length: 6\r\n", "\r\n", "one", "two"];
  for (const piece of pieces) {
    if (http.ended) break;
    http.write(piece);
    await visitor.wait(150);
    // Some never come to the end.
    if (visitor.random.below(30) < 1) return await leaves(visitor);
  }
  const answer = await body(http);
  await visitor.leave();
  return answer === "onetwo" ? "served" : "broken";
}

/** Reads an answer that takes its time, or leaves in the middle. */
async function listens(http: HttpClient, visitor: Visitor): Promise<Outcome> {
  http.send("GET /drip");
  const answer = await head(http);
  if (visitor.random.below(2) < 1) {
    await visitor.wait(visitor.random.wait(500));
    return await leaves(visitor);
  }
  await http.body(answer);
  await visitor.leave();
  return "served";
}

/** Asks for what takes a while, and waits for it or does not. */
async function waits(http: HttpClient, visitor: Visitor): Promise<Outcome> {
  http.send("GET /late");
  if (visitor.random.below(3) < 1) {
    await visitor.wait(visitor.random.wait(200));
    return await leaves(visitor);
  }
  const answer = await body(http);
  await visitor.leave();
  return answer === "late\n" ? "served" : "broken";
}

/** Asks for much and reads nothing of it. */
async function neverReads(http: HttpClient, visitor: Visitor): Promise<Outcome> {
  visitor.client.socket.pause();
  http.send("GET /big");
  await visitor.wait(visitor.random.wait(1_000));
  visitor.abandon();
  return "left";
}

/** Meets a handler that fails. */
async function fails(http: HttpClient, visitor: Visitor): Promise<Outcome> {
  http.send("GET /fail");
  try {
    await head(http, 500);
  } catch (error) {
    if (error instanceof Refused) throw error;
    // That of `node:http` just closes the connection.
    if (!http.ended) throw error;
    return "cut";
  }
  await visitor.leave();
  return "served";
}

/** Says nothing. */
async function idles(_http: HttpClient, visitor: Visitor): Promise<Outcome> {
  visitor.client.socket.resume();
  await visitor.wait(visitor.random.wait(700));
  return await leaves(visitor);
}

/** Leaves in the midst of what it sends. */
async function leavesEarly(http: HttpClient, visitor: Visitor): Promise<Outcome> {
  http.send("POST /echo", "Content-Length: 1000000");
  http.write("x".repeat(visitor.random.integer(1, 500_000)));
  await visitor.wait(visitor.random.wait(10));
  visitor.abandon();
  return "left";
}

/** Opens a WebSocket, has something echoed, stays, and leaves in one way or another. */
async function chats(http: HttpClient, visitor: Visitor): Promise<Outcome> {
  http.send("GET /ws", ...HEADERS);
  if (visitor.random.below(30) < 1) {
    await visitor.wait(visitor.random.wait(2));
    visitor.abandon();
    return "left";
  }
  await head(http, 101);
  for (let left = visitor.random.integer(0, 5); left > 0; left--) {
    http.write(HELLO);
    if (await http.read(4) !== "\x81\x02hi") return "broken";
    await visitor.wait(visitor.random.wait(200));
  }
  await visitor.wait(visitor.random.wait(1_000));
  if (visitor.random.below(2) < 1) return await leaves(visitor, "served");
  http.write(visitor.random.below(5) < 1 ? GARBAGE : CLOSE);
  await visitor.wait(2_000);
  return await leaves(visitor, "served");
}

async function leaves(visitor: Visitor, outcome: Outcome = "left"): Promise<Outcome> {
  await visitor.leave();
  return outcome;
}

/** How often what is done. */
const VISITS: readonly (readonly [weight: number, visit: HttpVisit])[] = [
  [20, asks],
  [3, sendsMuch],
  [10, sendsSlowly],
  [20, listens],
  [12, waits],
  [5, neverReads],
  [3, fails],
  [7, idles],
  [5, leavesEarly],
  [20, chats],
];

/** The visits, with what is made of how they end. */
export const HTTP_VISITS: readonly (readonly [weight: number, visit: Visit])[] = VISITS.map(([weight, visit]) => [
  weight,
  Object.defineProperty(
    async (visitor: Visitor) => {
      const http = new HttpClient(visitor.client);
      try {
        return await visit(http, visitor);
      } catch (error) {
        if (error instanceof Refused) return "refused";
        // A refused connection may be closed without a word.
        if (http.ended && !answered.has(http) && await http.rest() === "") return "refused";
        throw error;
      }
    },
    "name",
    { value: visit.name },
  ),
]);
