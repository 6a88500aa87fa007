/**
 * Thousands of connections that end in every way at once, on Bun.
 *
 * @module
 */

import { test } from "node:test";
import { Limiter } from "@connlimit/connlimit";
import { CLIENTS, leavesNothing, pick, randomly } from "../crowd.ts";
import { type Client, ended, leavingNoSocket } from "../net.ts";
import { oneAddress } from "../platform.ts";
import { type Kind, PLAIN, TLS, tryConnect } from "./kinds.ts";

/** How clients may behave that do not even speak TLS where they should. */
const STRANGERS: readonly ((client: Client) => void)[] = [
  ...CLIENTS.slice(2),
  ({ socket }) => void socket.end("GET / HTTP/1.1\r\n\r\n"),
];

/** A server that listens. */
export interface Server extends Disposable {
  readonly port: number;
}

/** Makes a server for a kind of connections. */
export type Serve = (kind: Kind, limiter: Limiter, random: (below: number) => number) => Server;

const CONNECTIONS = 2_000;

/** Tests two servers with one limiter: one for connections that may be half-open, one for others. */
export function testChaos(name: string, serve: Serve): void {
  for (const kind of [PLAIN, TLS]) {
    const seed = Date.now() | 0;
    test(
      `${name} leaves nothing of ${CONNECTIONS} connections that end in every way (${kind.name}, seed ${seed})`,
      { skip: oneAddress },
      leavingNoSocket(async () => {
        const random = randomly(seed);
        const limiter = new Limiter({ maxPerClient: 10 });
        using halfOpen = serve({ ...kind, halfOpen: true }, limiter, random);
        using other = serve({ ...kind, halfOpen: false }, limiter, random);
        await leavesNothing(limiter, random, {
          connections: CONNECTIONS,
          atOnce: 50,
          maxOpen: 40,
          minAdmitted: 200,
          async visit(localAddress) {
            const { port } = pick(random, [halfOpen, other]);
            const isStranger = kind.tls && random(3) === 0;
            using client = await tryConnect(isStranger ? PLAIN : kind, port, localAddress);
            // One that was refused before the handshake has had its end.
            if (client === undefined) return;
            pick(random, isStranger ? STRANGERS : CLIENTS)(client);
            await ended(client);
          },
        });
      }),
    );
  }
}
