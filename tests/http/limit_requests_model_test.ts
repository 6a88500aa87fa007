/**
 * Ten thousand requests of fifty clients at once, compared with a model of what each client has in flight.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertLessOrEqual, assertStrictEquals } from "@std/assert";
import { oneAddress } from "../support/platform.ts";
import { HttpClient } from "../../testing/http_client.ts";
import { Served } from "../support/http/served.ts";

const CLIENTS = 50;
const CONNECTIONS = 5;
const REQUESTS = 40;
const LIMIT = 3;

/** A request in the eyes of its client. */
interface Asked {
  /** The most others that were under way at once since it was sent. */
  most: number;
  /** Whether the client has left before the end. */
  abandoned: boolean;
}

/** A client: what it has under way, and what the handler has under way for it. */
class Model {
  readonly address: string;
  readonly #asked = new Set<Asked>();
  #handled = 0;
  /** The most that the handler has had under way at once. */
  peak = 0;

  constructor(address: string) {
    this.address = address;
  }

  ask(): Asked {
    const asked = { most: this.#asked.size, abandoned: false };
    this.#asked.add(asked);
    for (const other of this.#asked) other.most = Math.max(other.most, this.#asked.size - 1);
    return asked;
  }

  answered(asked: Asked): void {
    this.#asked.delete(asked);
  }

  handle(): void {
    this.peak = Math.max(this.peak, ++this.#handled);
  }

  handled(): void {
    this.#handled--;
  }
}

const TEXT = new TextEncoder().encode("text");

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

/** What is asked for, and how it is answered. */
const KINDS = {
  text: () => new Response(TEXT),
  later: () => turn().then(() => new Response(TEXT)),
  upload: async (request: Request) => new Response(await request.text()),
  stream: (_request: Request, done: () => void) => {
    let chunks = 0;
    return new Response(
      new ReadableStream({
        async pull(body) {
          await turn();
          body.enqueue(TEXT);
          if (++chunks < 3) return;
          done();
          body.close();
        },
      }),
    );
  },
  /** Goes on until the client leaves. */
  endless: (_request: Request, _done: () => void, left: () => void) =>
    new Response(new ReadableStream({ start: (body) => body.enqueue(TEXT), cancel: left })),
};

test(
  "limitRequests() lets no client have more under way than it may, and refuses nothing else",
  { skip: oneAddress },
  async () => {
    const models = Array.from({ length: CLIENTS }, (_, i) => new Model(`127.0.0.${i + 2}`));
    const asked = new Map<string, [Model, Asked]>();
    const unjustified: string[] = [];
    const statuses: Record<number, number> = {};

    await using server = new Served(async (request) => {
      const [kind, id] = new URL(request.url).pathname.slice(1).split("/") as [keyof typeof KINDS, string];
      const [model, one] = asked.get(id)!;
      model.handle();
      // For a client that has left the handler has nothing under way.
      const done = () => one.abandoned || model.handled();
      const left = () => void setTimeout(() => model.answered(one), 0);
      const response = await KINDS[kind](request, done, left);
      if (kind !== "stream" && kind !== "endless") done();
      return response;
    }, { limits: { maxPerClient: LIMIT } });

    async function use(model: Model, n: number): Promise<void> {
      let connection: HttpClient | undefined;
      for (let i = 0; i < REQUESTS; i++) {
        connection ??= await HttpClient.connect(server.port, model.address);
        const kind = Object.keys(KINDS)[(n + i * (n + 1)) % 5]!;
        const id = `${model.address}-${n}-${i}`;
        const one = model.ask();
        asked.set(id, [model, one]);
        if (kind === "upload") connection.send(`POST /upload/${id}`, "Content-Length: 4");
        else connection.send(`GET /${kind}/${id}`);
        if (kind === "upload") connection.write("text");
        const head = await connection.head();
        statuses[head.status] = (statuses[head.status] ?? 0) + 1;
        if (head.status === 429) {
          if (one.most < LIMIT) unjustified.push(`${id} ${kind}: ${one.most}`);
          model.answered(one);
          connection[Symbol.dispose]();
          connection = undefined;
        } else if (kind === "endless") {
          one.abandoned = true;
          model.handled();
          if (i % 2 === 0) connection.reset();
          else connection[Symbol.dispose]();
          connection = undefined;
        } else {
          await connection.body(head);
          model.answered(one);
        }
      }
      connection?.[Symbol.dispose]();
    }

    await Promise.all(models.flatMap((model) => Array.from({ length: CONNECTIONS }, (_, n) => use(model, n))));
    await server.empty();
    assertEquals(unjustified, []);
    for (const { peak, address } of models) assertLessOrEqual(peak, LIMIT, `${peak} under way for ${address}`);
    assert(models.some(({ peak }) => peak === LIMIT));
    assertStrictEquals(statuses[200]! + statuses[429]!, CLIENTS * CONNECTIONS * REQUESTS);
    assert(statuses[200]! > 1000 && statuses[429]! > 500, JSON.stringify(statuses));
    const { admitted, refused } = server.limiter.stats();
    assertEquals([admitted, refused], [statuses[200]!, statuses[429]!]);
  },
);
