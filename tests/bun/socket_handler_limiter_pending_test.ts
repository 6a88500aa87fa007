/**
 * Handlers of Bun's listeners whose limiter takes its time.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { SocketHandlerLimiter } from "../../src/bun/socket_handler_limiter.ts";
import { certificate, within } from "../support/net.ts";
import { leavesNothingPending } from "../support/pending_crowd.ts";
import { type Adapter, RULES, type Server, type Setup } from "../support/pending_rules.ts";
import { STORE_RULES } from "../support/store_rules.ts";

/** Handlers that echo, and fail where they are called for a socket that has not been opened. */
function handlers(served: number[], handshake: boolean, events: string[]) {
  const opened = new Set<unknown>();
  const check = (socket: unknown, event: string) => {
    if (!opened.has(socket)) events.push(`${event} before open`);
  };
  return {
    open(socket: Bun.Socket) {
      opened.add(socket);
      served.push(socket.remotePort);
    },
    data(socket: Bun.Socket, data: Uint8Array) {
      check(socket, "data");
      socket.write(data);
    },
    drain: (socket: Bun.Socket) => check(socket, "drain"),
    close: (socket: Bun.Socket) => check(socket, "close"),
    ...handshake && {
      handshake: (socket: Bun.Socket) => check(socket, "handshake"),
    },
  };
}

function serve({ admitter, hooks, stage }: Setup, tls: boolean, handshake: boolean): Server {
  const served: number[] = [];
  const events: string[] = [];
  const wrapped = handlers(served, handshake, events);
  const limiter = stage && new SocketHandlerLimiter(admitter, hooks as never, stage as never);
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    ...tls && { tls: certificate() },
    socket: limiter?.wrap(wrapped) ?? limitSocketHandler(admitter, wrapped, hooks as never),
  });
  return {
    port: listener.port,
    served,
    async [Symbol.asyncDispose]() {
      listener.stop(true);
      await within(limiter?.openConns.idle() ?? admitter.local.idle(), "the sockets to close");
      assertEquals(events, []);
    },
  };
}

const KINDS = [["TCP", false, false], ["TLS", true, false], [
  "TLS, with a handler for the handshake",
  true,
  true,
]] as const;

for (const [name, tls, handshake] of KINDS) {
  const adapter: Adapter = {
    serve: (setup) => serve(setup, tls, handshake),
    words: "hello",
    answer: "hello",
    tls,
    hearsSilent: true,
  };
  for (const [rule, keeps] of Object.entries(RULES)) {
    test(`limitSocketHandler() with a limiter that takes its time ${rule} (${name})`, () => keeps(adapter));
  }
  for (const [rule, keeps] of Object.entries(STORE_RULES)) {
    test(`limitSocketHandler() with a shared limit ${rule} (${name})`, () => keeps(adapter));
  }
  const seed = Date.now() | 0;
  test(
    `limitSocketHandler() leaves nothing of a thousand pending connections (${name}, seed ${seed})`,
    leavesNothingPending(adapter, seed),
  );
}
