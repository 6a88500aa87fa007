/**
 * Bun's listeners with TLS cannot read a header ahead of the handshake, and say so.
 *
 * @module
 */

import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { assertEquals, assertThrows } from "@std/assert";
import { limitedListener, Limiter } from "@connlimit/connlimit";
import { limitSocketHandler, listen } from "@connlimit/connlimit/bun";
import { proxyProtocol } from "@connlimit/connlimit/proxy";
import { certificate, connectFrom, ended, eventually, leavingNoSocket, within } from "../support/net.ts";
import { headerOf } from "../support/proxy/proxied_trial.ts";

const client = proxyProtocol({ trusted: ["127.0.0.1"] });
const ADVICE = "limit a server of node:tls or node:https with limitServer()";
const at = { hostname: "127.0.0.1", port: 0, tls: certificate() };

test("limitedListener() over listen() with TLS rejects a client option, says what to use, and then takes none", () => {
  const native = listen(at);
  assertThrows(() => limitedListener(native, {}, { client }), TypeError, ADVICE);
  limitedListener(native).close();
});

/** What is made of a limiter with hooks. */
interface Hooks {
  readonly client: typeof client;
  onRefused(refusal: { readonly reason: string }): void;
  onError(error: unknown): void;
}

/** What the server's own code sees of a connection. */
type See = (what: string) => void;

const KINDS: Readonly<Record<string, (limiter: Limiter, hooks: Hooks, see: See) => { port: number; stop(): unknown }>> =
  {
    "limitedListener() over Bun.listen()": (limiter, hooks, see) => {
      const native = Bun.listen({ ...at, socket: { data() {} } });
      const listener = limitedListener(native as never, limiter, hooks as never);
      const serving = (async () => {
        for await (const _ of listener) see("a connection");
      })();
      const stop = async () => {
        listener.close();
        await within(serving, "the loop to end");
      };
      return { port: native.port, stop };
    },
    "limitSocketHandler()": (limiter, hooks, see) => {
      const socket = limitSocketHandler(limiter, {
        open: () => see("open"),
        handshake: () => see("handshake"),
        data: () => see("data"),
        close: () => see("close"),
      }, hooks as never);
      const native = Bun.listen({ ...at, socket: socket as never });
      return { port: native.port, stop: () => native.stop(true) };
    },
  };

for (const [kind, serve] of Object.entries(KINDS)) {
  test(
    `${kind} with TLS refuses each connection where there is a client option, and says why`,
    leavingNoSocket(async () => {
      const limiter = new Limiter();
      const [refused, errors, seen]: [string[], unknown[], string[]] = [[], [], []];
      const { port, stop } = serve(limiter, {
        client,
        onRefused: ({ reason }) => refused.push(reason),
        onError: (error) => errors.push(error),
      }, (what) => seen.push(what));
      try {
        for (const how of ["silent", "header", "TLS", "header and TLS"]) {
          using visitor = await connectFrom("127.0.0.1", port);
          if (how.includes("header")) visitor.socket.write(headerOf("192.0.2.7"));
          if (how.includes("TLS")) {
            const tls = connectTls({ socket: visitor.socket, rejectUnauthorized: false });
            tls.on("error", () => {}).on("data", (data) => seen.push(`${data}`));
          }
          await ended(visitor);
        }
        await eventually(() => refused.length === 4, "all to be refused");
        assertEquals(refused, Array(4).fill("unavailable"));
        const told = errors.map((error) => error instanceof TypeError && error.message.includes(ADVICE));
        assertEquals([told, seen], [Array(4).fill(true), []]);
        const { admitted, open, pending, refusedBy } = limiter.stats();
        assertEquals([admitted, open, pending, refusedBy.unavailable], [0, 0, 0, 4]);
      } finally {
        await stop();
      }
    }),
  );
}
