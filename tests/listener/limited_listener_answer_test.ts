/**
 * The answers of limited listeners to refused clients, on Deno and Bun.
 *
 * @module
 */

import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import type { LimitedListenerOptions } from "@connlimit/connlimit";
import { type Adapter, RULES, type Server } from "../support/answer_rules.ts";
import { Trial } from "../support/answer_trial.ts";
import { type Making, MAKINGS } from "../support/makings.ts";
import { within } from "../support/net.ts";
import { turnedAway } from "../support/turned_away.ts";

function adapterOf({ listen, connect }: Making): Adapter {
  const serve: Adapter["serve"] = (limits, options): Server => {
    const listener = listen(limits, options as LimitedListenerOptions);
    const serving = (async () => {
      for await (const conn of listener) conn.readable.pipeTo(conn.writable).catch(() => {});
    })();
    return {
      port: listener.addr.port,
      limiter: listener.limiter,
      stop: (timeout) => listener.shutdown(timeout === undefined ? {} : { timeout }),
      async [Symbol.asyncDispose]() {
        await listener.shutdown({ timeout: 0 });
        await within(serving, "the loop to end");
      },
    };
  };
  return { serve, connect: (port) => connect(port) };
}

for (const making of MAKINGS) {
  if (making.refusal === "RST") {
    test(`answer of limitedListener() is not sent before a TLS handshake (${making.name})`, async () => {
      await using trial = await Trial.serve(adapterOf(making), "busy");
      assertStrictEquals(await turnedAway(trial.server.port), "RST");
    });
    continue;
  }
  for (const [rule, keeps] of Object.entries(RULES)) {
    test(`answer of limitedListener() ${rule} (${making.name})`, () => keeps(adapterOf(making)));
  }
}
