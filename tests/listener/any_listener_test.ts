/**
 * What `limitedListener()` says of what is no listener.
 *
 * @module
 */

import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { MAKINGS } from "../support/makings.ts";

/** The message of the error. */
const messageOf = (...args: unknown[]) =>
  assertThrows(() => limitedListener(...args as Parameters<typeof limitedListener>), TypeError).message;

test("limitedListener() names limitServer() where it is given a server of Node's", () => {
  for (const server of [createServer(), createHttpServer()]) {
    assertEquals(
      messageOf(server, { maxPerClient: 1 }),
      "listener must be a listener of Deno's or Bun's, got an instance of Server; for servers of Node's there is " +
        "limitServer() in ./node",
    );
  }
  assertEquals(messageOf({}, {}), "listener must be a listener of Deno's or Bun's, got an object");
});

test("limitedListener() says that its arguments are swapped", () => {
  using listener = MAKINGS[0].native();
  const message = "listener and limits are swapped: the listener comes first";
  assertEquals([messageOf({ maxPerClient: 1 }, listener), messageOf(undefined, listener)], [message, message]);
});
