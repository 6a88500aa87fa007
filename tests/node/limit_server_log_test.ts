/**
 * A server whose refusals are logged and ranked while clients flood it.
 *
 * @module
 */

import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { logRefusals, watchRefusals } from "@connlimit/connlimit";
import { connectFrom, ended, leavingNoSocket, reply } from "../support/net.ts";
import { Limited } from "../support/node/limited_server.ts";
import { oneAddress } from "../support/platform.ts";

test(
  "logRefusals() writes at most its lines in a flood of 2,000 connections, and an established client is served",
  {
    skip: oneAddress,
  },
  leavingNoSocket(async () => {
    const lines: string[] = [];
    using onRefused = logRefusals({ lines: 5, period: 60_000, logger: { warn: (line) => lines.push(line as string) } });
    const server = createServer((socket: Socket) => void socket.on("error", () => {}).pipe(socket));
    const limits = { networks: { "127.0.1.0/24": { maxPerClient: 0 } } };
    await using limited = await Limited.listen(server, { limits, options: { onRefused } });
    using _ = watchRefusals(limited.limiter);
    using established = await connectFrom("127.0.0.2", limited.port);
    let left = 2_000;
    let echoes = 0;
    const flooding = Promise.all(Array.from({ length: 20 }, async (_, client) => {
      while (left-- > 0) {
        // A refusal may reset a connection that its client does not have yet.
        const conn = await connectFrom(`127.0.1.${client % 4 === 0 ? 1 : client}`, limited.port).catch(() => undefined);
        if (conn !== undefined) await ended(conn);
      }
    }));
    while (left > 0) {
      assertStrictEquals(await reply(established, "hello"), "hello");
      echoes++;
    }
    await flooding;
    onRefused.flush();
    const { refused, refusedBy } = limited.limiter.stats();
    assertEquals([refused, refusedBy.blocked, lines.length], [2_000, 2_000, 6]);
    assert(/refused 1,9\d\d more from 1[56] clients in \d+ s, most from 127\.0\.1\.1: \d+$/.test(lines[5]!), lines[5]);
    const [worst] = limited.limiter.top(1).refused!;
    assertEquals([worst!.client, worst!.error, worst!.reason], ["127.0.1.1", 0, "blocked"]);
    assert(echoes > 10, `${echoes} echoes`);
  }),
);
