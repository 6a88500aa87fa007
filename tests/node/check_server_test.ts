/**
 * What `limitServer()` and `limitServerRequests()` say of what is no server.
 *
 * @module
 */

import { EventEmitter } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import express from "express";
import { limitServer, limitServerRequests, type ServerLike } from "@connlimit/connlimit/node";

const FUNCTIONS = [
  [limitServer, "a server of node:net or of what stands on it"],
  [limitServerRequests, "a server of node:http, node:https or node:http2"],
] as const;

for (const [limit, expected] of FUNCTIONS) {
  const messageOf = (server: unknown, limits: unknown = {}) =>
    assertThrows(
      () => (limit as (server: ServerLike, limits: object) => unknown)(server as ServerLike, limits as object),
      TypeError,
    ).message;

  test(`${limit.name}() says of an application what to pass in its place`, () => {
    assertEquals(
      messageOf(express()),
      `server must be ${expected}, got a function; pass what its listen() returns`,
    );
    class Application extends EventEmitter {
      listen(): void {}
    }
    assertEquals(
      messageOf(new Application()),
      `server must be ${expected}, got an instance of Application; pass what its listen() returns`,
    );
    // As those of Fastify, socket.io and of one's own have it.
    for (const name of ["server", "httpServer"]) {
      assertEquals(
        messageOf({ [name]: createServer(), listen() {} }),
        `server must be ${expected}, got an object; pass its property "${name}", which is one`,
      );
    }
  });

  test(`${limit.name}() says that its arguments are swapped`, () => {
    assertEquals(
      messageOf({ maxPerClient: 1 }, createServer()),
      "server and limits are swapped: the server comes first",
    );
  });
}
