/**
 * The answers of limited handlers to refused clients.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { type Adapter, RULES, type Server } from "../support/answer_rules.ts";
import { BUSY, LONG, rest, sent, Trial } from "../support/answer_trial.ts";
import { address, type Kind, KINDS } from "../support/bun/kinds.ts";
import { turnedAway } from "../support/turned_away.ts";

type Handlers = Bun.SocketHandler<undefined>;
type BinaryType = NonNullable<Handlers["binaryType"]>;

/** Serves with handlers that echo, and note when they are called for a socket that has not been opened. */
function adapterOf(
  kind: Kind,
  more: Partial<Handlers> = {},
  nest = (handlers: Handlers): Handlers => handlers,
): Adapter {
  const serve: Adapter["serve"] = (limits, options): Server => {
    const limiter = new Limiter(limits);
    const called: string[] = [];
    const opened = new Set<unknown>();
    const check = (event: string) => (socket: Bun.Socket) => void (opened.has(socket) || called.push(event));
    const handlers: Handlers = {
      open: (socket) => void opened.add(socket),
      data(socket, data) {
        check("data")(socket);
        socket.write(data);
      },
      drain: check("drain"),
      close: check("close"),
      error: check("error"),
      ...more,
    };
    const listener = Bun.listen<undefined>({
      ...address(kind),
      socket: nest(limitSocketHandler(limiter, handlers, options)),
    });
    return {
      port: listener.port,
      limiter,
      called,
      // Those that are being answered stay open, as do those that are admitted.
      stop: () => Promise.resolve(listener.stop()).then(() => 0),
      [Symbol.asyncDispose]: () => Promise.resolve(listener.stop(true)),
    };
  };
  return { serve };
}

for (const kind of KINDS) {
  if (kind.tls) {
    test(`answer of limitSocketHandler() is not sent before a TLS handshake (${kind.name})`, async () => {
      await using trial = await Trial.serve(adapterOf(kind), BUSY);
      assertStrictEquals(await turnedAway(trial.server.port), "RST");
    });
    continue;
  }
  for (const [rule, keeps] of Object.entries(RULES)) {
    test(`answer of limitSocketHandler() ${rule} (${kind.name})`, () => keeps(adapterOf(kind)));
  }
}

const [PLAIN] = KINDS as [Kind];

for (const binaryType of ["arraybuffer", "buffer", "uint8array"] as const satisfies BinaryType[]) {
  test(`answer of limitSocketHandler() arrives whatever type of data its handlers ask for (${binaryType})`, async () => {
    // With a handler for the end of the client's side, which a refused socket must not call either.
    const end = (socket: Bun.Socket) => void socket.end();
    await using trial = await Trial.serve(adapterOf(PLAIN, { binaryType, end } as Partial<Handlers>), BUSY);
    assertEquals([await trial.visit(), await trial.visit(new Uint8Array(4 << 20))], [BUSY, BUSY]);
    await trial.closedAll();
    assertEquals(trial.server.called, []);
  });
}

test("answer of limitSocketHandler() arrives under another limiter, whose slot is free when the socket closes", async () => {
  const outer = new Limiter();
  await using trial = await Trial.serve(adapterOf(PLAIN, {}, (handlers) => limitSocketHandler(outer, handlers)), {
    send: BUSY,
    writeDeadline: LONG,
  });
  const client = await trial.connect();
  await sent(client, new Uint8Array(1 << 20));
  await trial.refused(1);
  assertStrictEquals(outer.open, 1);
  assertStrictEquals(await rest(client), BUSY);
  await trial.closedAll();
  assertEquals([outer.open, trial.server.called], [0, []]);
});

test("limitSocketHandler() refuses a bad answer, naming the option and the value", () => {
  const make = (answer: unknown) => () => limitSocketHandler({}, { data() {} }, { answer } as never);
  assertThrows(make(421), TypeError, "answer must be a string, a Uint8Array, a function or an object, got 421");
});
