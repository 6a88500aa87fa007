/**
 * The deadlines of `limitServerRequests()`.
 *
 * @module
 */

import * as http from "node:http";
import * as http2 from "node:http2";
import type * as net from "node:net";
import { test } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { limitServerRequests, type LimitServerRequestsOptions } from "@connlimit/connlimit/node";
import { dribble, pass } from "../support/deadline_trial.ts";
import { aWhile, connectFrom, ended, eventually, leavingNoSocket, reply, within } from "../support/net.ts";
import { type HttpServer, LimitedRequests } from "../support/node/limited_requests.ts";
import { ignore } from "../support/node/server_kinds.ts";
import { flood, upgrade, upgrading } from "../support/node/timed_server.ts";
import { Relay, toPort } from "../support/relay.ts";

const T = 150;
const GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** A limited server, with the deadlines that its requests have met. */
async function listen<S extends HttpServer>(server: S, options: LimitServerRequestsOptions) {
  const met: unknown[] = [];
  const limited = await LimitedRequests.listen(server, { maxPerClient: 10 }, {
    ...options,
    onTimeout: ({ kind }, { url }, client) => met.push([kind, url, client]),
  });
  const cut = async (kind: "idle" | "maxAge", since: number) => {
    await eventually(() => met.length > 0, "the deadline");
    assert(performance.now() - since >= T - 2);
    await limited.holds(0);
    assertEquals([met, limited.limiter.stats().timedOut[kind]], [[[kind, "/", "127.0.0.1"]], 1]);
  };
  return { limited, met, cut };
}

/** Keeps several at once. */
const all = (...keep: (() => Promise<void>)[]) =>
  leavingNoSocket(async () => void await Promise.all(keep.map((it) => it())));

test(
  "limitServerRequests() closes connections whose request is too old, before and after its response has begun",
  all(...[false, true].map((begun) => async () => {
    const late: http.ServerResponse[] = [];
    const server = http.createServer((_, response) => {
      if (begun) response.write("first");
      late.push(response);
    });
    const { limited, cut } = await listen(server, { maxAge: T });
    await using _ = limited;
    using client = await connectFrom("127.0.0.1", limited.port);
    const since = performance.now();
    client.socket.write(GET);
    const text = ended(client);
    await cut("maxAge", since);
    assertEquals((await text).includes("first"), begun);
    // As after a client that has left: nothing throws, and nothing is uncaught.
    late[0]!.end("late");
    await aWhile();
  })),
);

test(
  "limitServerRequests() cancels streams that are too old, and leaves the others of their connection",
  all(async () => {
    const server = http2.createServer((request, response) => {
      if (request.url !== "/") response.end("an answer");
    }).on("sessionError", ignore);
    const { limited, cut } = await listen(server, { maxAge: T });
    await using _ = limited;
    const session = http2.connect(`http://127.0.0.1:${limited.port}`).on("error", ignore);
    const since = performance.now();
    const closed = new Promise((resolve) => session.request({ ":path": "/" }).on("error", ignore).on("close", resolve));
    await cut("maxAge", since);
    await within(closed, "the stream to be closed");
    const status = new Promise((resolve) =>
      session.request({ ":path": "/other" }).resume().on("response", (headers) => resolve(headers[":status"]))
    );
    assertEquals(await within(status, "a response"), 200);
    session.destroy();
  }),
);

const resuming = () => upgrading(http.createServer(), (socket: net.Socket) => socket.resume());

test(
  "limitServerRequests() closes upgraded sockets that are idle, stuck or too old, and requests only by maxAge",
  all(
    async () => {
      const { limited, cut } = await listen(resuming(), { idleTimeout: T });
      await using _ = limited;
      using client = await connectFrom("127.0.0.1", limited.port);
      const since = performance.now();
      await upgrade(client);
      await cut("idle", since);
      await ended(client);
    },
    async () => {
      const { limited, cut } = await listen(upgrading(http.createServer(), flood), { idleTimeout: T });
      await using _ = limited;
      using relay = await Relay.to(toPort(limited.port));
      using client = await connectFrom("127.0.0.1", relay.port);
      client.socket.resume();
      const since = performance.now();
      await upgrade(client);
      relay.stop();
      await cut("idle", since);
      await eventually(() => relay.closed, "the connection to be closed");
    },
    async () => {
      const { limited, cut } = await listen(resuming(), { idleTimeout: T, maxAge: 2 * T });
      await using _ = limited;
      using client = await connectFrom("127.0.0.1", limited.port);
      const since = performance.now();
      await upgrade(client);
      dribble(client, T * 0.7);
      await cut("maxAge", since);
    },
    async () => {
      const held: http.ServerResponse[] = [];
      const { limited, met } = await listen(http.createServer((_, response) => held.push(response)), {
        idleTimeout: T,
      });
      await using _ = limited;
      using client = await connectFrom("127.0.0.1", limited.port);
      const answer = reply(client, GET);
      await pass(3 * T);
      assertEquals([met, limited.limiter.open], [[], 1]);
      held[0]!.end("late");
      assertEquals((await answer).slice(0, 12), "HTTP/1.1 200");
      await limited.holds(0);
    },
  ),
);

test("limitServerRequests() names a deadline that is none", () => {
  const limit = (options: object) => () => limitServerRequests(http.createServer(), {}, options);
  assertThrows(limit({ maxAge: 0 }), RangeError, "maxAge must be milliseconds from 1");
  assertThrows(limit({ idleTimeout: "1" }), TypeError, "idleTimeout must be a number");
  assertThrows(limit({ firstByteTimeout: 1 }), TypeError, 'unknown server request option "firstByteTimeout"');
});
