/**
 * Limited listeners of Bun whose limiter takes its time.
 *
 * @module
 */

import { test } from "node:test";
import { limitedListener, type RefusalHooks } from "@connlimit/connlimit";
import type { BunConn } from "@connlimit/connlimit/bun";
import { LimitedAcceptorListener } from "../../src/conn/limited_acceptor_listener.ts";
import { bunAcceptor } from "../../src/bun/bun_acceptor.ts";
import type { NetAddr } from "../../src/bun/bun_conn.ts";
import { certificate } from "../support/net.ts";
import { leavesNothingPending } from "../support/pending_crowd.ts";
import { type Adapter, RULES, type Server, type Setup } from "../support/pending_rules.ts";
import { stopsAtOnce, STORE_RULES } from "../support/store_rules.ts";
import { serveListener } from "../support/serve_listener.ts";

function serve({ admitter, hooks, stage }: Setup, tls: boolean): Server {
  const where = { hostname: "127.0.0.1", port: 0, allowHalfOpen: true, ...tls && { tls: certificate() } };
  const listener = Bun.listen({ ...where, socket: { data() {} } });
  if (stage === undefined) return serveListener(limitedListener(listener, admitter, hooks as RefusalHooks<BunConn>));
  const acceptor = bunAcceptor<NetAddr>(listener);
  acceptor.limit(admitter, hooks as never, stage as never);
  return serveListener(new LimitedAcceptorListener(acceptor, admitter));
}

for (const tls of [false, true]) {
  const adapter: Adapter = {
    serve: (setup) => serve(setup, tls),
    words: "hello",
    answer: "hello",
    tls,
    hearsSilent: true,
  };
  for (const [rule, keeps] of Object.entries(RULES)) {
    test(`limitedListener() with a limiter that takes its time ${rule} (${tls ? "TLS" : "TCP"})`, () => keeps(adapter));
  }
  for (const [rule, keeps] of Object.entries(STORE_RULES)) {
    test(`limitedListener() with a shared limit ${rule} (${tls ? "TLS" : "TCP"})`, () => keeps(adapter));
  }
  test(`limitedListener() with a shared limit stops at once while the store is asked (${tls ? "TLS" : "TCP"})`, () =>
    stopsAtOnce(adapter));
  const seed = Date.now() | 0;
  test(
    `limitedListener() leaves nothing of a thousand pending connections (${tls ? "TLS" : "TCP"}, seed ${seed})`,
    leavesNothingPending(adapter, seed),
  );
}
