/**
 * A proxy that is taken for a client is told, where a server of Node's kind refuses it.
 *
 * @module
 */

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { assertEquals } from "@std/assert";
import express from "express";
import { Limiter } from "@connlimit/connlimit";
import { limitServer, limitServerRequests, tooManyConnections } from "@connlimit/connlimit/node";
import { Held, said, visitThroughNginx } from "../support/behind_nginx.ts";
import { printed } from "../support/console.ts";
import { oneAddress } from "../support/platform.ts";
import { noNginx } from "../support/real_proxies.ts";
import { testUnless } from "../support/test_unless.ts";

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** The listeners of the README's servers. */
const LISTENERS: Readonly<Record<string, (held: Held) => Listener>> = {
  "node:http": ({ wait }) => (_request, response) => void wait.then(() => response.end("hello\n")),
  "Express": ({ wait }) => {
    const app = express();
    app.get(
      "/",
      (_request: unknown, response: { send(text: string): unknown }) => void wait.then(() => response.send("hello\n")),
    );
    return app;
  },
};

const LIMITS: Readonly<Record<string, readonly [typeof limitServer, remedy: string]>> = {
  "limitServer()": [
    (server, limiter) => limitServer(server, limiter, { answer: tooManyConnections() }) as never,
    "count the clients behind it by limitServerRequests()",
  ],
  "limitServerRequests()": [limitServerRequests as never, "set the option client"],
};

for (const [kind, listenerOf] of Object.entries(LISTENERS)) {
  for (const [name, [limit, remedy]] of Object.entries(LIMITS)) {
    testUnless(
      noNginx || oneAddress,
      `${name} tells that nginx is refused before ${kind}, in one line`,
      async () => {
        const held = new Held();
        const server = createServer(listenerOf(held));
        const limiter = new Limiter({ maxPerClient: 20 });
        limit(server, limiter);
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        try {
          const prints = await printed(async () => {
            const { port } = server.address() as { port: number };
            await visitThroughNginx(`127.0.0.1:${port}`, limiter, () => held.go());
          });
          assertEquals(prints, [[`connlimit: ${said(remedy)}`]]);
        } finally {
          server.close();
          server.closeAllConnections();
          await once(server, "close");
        }
      },
    );
  }
}
