/**
 * The deadlines of `limitServer()`, by the rules of every adapter.
 *
 * @module
 */

import * as net from "node:net";
import { test } from "node:test";
import { assertThrows } from "@std/assert";
import { limitServer } from "@connlimit/connlimit/node";
import { CROWDS } from "../support/deadline_crowd.ts";
import { CLOSES, keeping, LEAVES, OTHERS } from "../support/deadline_rules.ts";
import { ended, eventually, leavingNoSocket } from "../support/net.ts";
import { NODE_ADAPTERS } from "../support/node/deadline_adapters.ts";
import { T, Timed } from "../support/node/timed_server.ts";

test(
  "limitServer() closes who is silent, idle or stuck, by deadlines that end with their connections",
  keeping({ ...CLOSES, ...OTHERS }, NODE_ADAPTERS),
);

test("limitServer() leaves open who is not", keeping(LEAVES, NODE_ADAPTERS));

test("limitServer() closes a crowd", keeping(CROWDS, NODE_ADAPTERS.slice(0, 1)));

test(
  "limitServer() closes clients at their deadlines after detach()",
  leavingNoSocket(async () => {
    await using timed = await Timed.listen("net", { idleTimeout: T });
    const since = performance.now();
    using client = await timed.connect();
    await eventually(() => timed.limited.limiter.open === 1, "the client to be admitted");
    timed.limited.attachment.detach();
    await timed.cut("idle", since, "net");
    await ended(client);
  }),
);

test("limitServer() names a deadline that is none", () => {
  const server = net.createServer();
  const limit = (options: object) => () => limitServer(server, {}, options);
  assertThrows(limit({ idleTimeout: -1 }), RangeError, "idleTimeout must be milliseconds from 1");
  assertThrows(limit({ maxAge: "1" }), TypeError, "maxAge must be a number");
  assertThrows(limit({ firstByteTimeout: NaN }), RangeError, "firstByteTimeout must be");
  assertThrows(limit({ onTimeout: 1 }), TypeError, "onTimeout must be a function");
  limitServer(server, {}, { firstByteTimeout: 1, idleTimeout: Infinity, maxAge: 2 ** 31 - 1 });
});
