/**
 * Limited listeners of Deno whose limiter takes its time.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { limitedListener, Limiter, type Peer, type RefusalHooks } from "@connlimit/connlimit";
import { PendingStage } from "../../src/admission/pending_stage.ts";
import { LimitedAcceptorListener } from "../../src/conn/limited_acceptor_listener.ts";
import { denoAcceptor } from "../../src/deno/deno_acceptor.ts";
import { aWhile, connectFrom, ended, eventually, within } from "../support/net.ts";
import { leavesNothingPending } from "../support/pending_crowd.ts";
import { type Adapter, RULES, type Setup } from "../support/pending_rules.ts";
import { stopsAtOnce, STORE_RULES } from "../support/store_rules.ts";
import { serveListener } from "../support/serve_listener.ts";
import { SlowAdmitter, withResolvers } from "../support/slow_admitter.ts";

function limit({ admitter, hooks, stage }: Setup) {
  const native = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  if (stage === undefined) return limitedListener(native, admitter, hooks as RefusalHooks<Deno.TcpConn>);
  const acceptor = denoAcceptor<Deno.TcpConn, Deno.NetAddr>(
    native,
    admitter,
    hooks as RefusalHooks<Deno.TcpConn>,
    stage as never,
  );
  return new LimitedAcceptorListener(acceptor, admitter);
}

const serve = (setup: Setup) => serveListener(limit(setup));
const adapter: Adapter = { serve, words: "hello", answer: "hello", backlog: true, blind: true };

for (const [rule, keeps] of Object.entries(RULES)) {
  Deno.test(`limitedListener() with a limiter that takes its time ${rule}`, () => keeps(adapter));
}
for (const [rule, keeps] of Object.entries(STORE_RULES)) {
  Deno.test(`limitedListener() with a shared limit ${rule}`, () => keeps(adapter));
}
Deno.test(`limitedListener() with a shared limit stops at once while the store is asked`, () => stopsAtOnce(adapter));

Deno.test("LimitedListener.accept() waits for an admission, and one that comes while nobody waits is kept", async () => {
  const admitter = new SlowAdmitter();
  const listener = limit({ admitter, hooks: {} });
  const [first, second] = [
    await connectFrom("127.0.0.1", listener.addr.port),
    await connectFrom("127.0.0.1", listener.addr.port),
  ];
  const accepted = listener.accept();
  await admitter.asked(2);
  admitter.questions[1]!.decide();
  using one = await within(accepted, "the first admission");
  admitter.questions[0]!.decide();
  await eventually(() => admitter.limiter.open === 2, "the second admission");
  using other = await within(listener.accept(), "the one that is kept");
  assertEquals([one.remoteAddr.port, other.remoteAddr.port], [second.socket.localPort, first.socket.localPort]);
  one.close();
  other.close();
  await Promise.all([ended(first), ended(second)]);
  assertEquals(await listener.shutdown(), 0);
});

Deno.test("LimitedListener.close() closes what is admitted and was never asked for", async () => {
  const admitter = new SlowAdmitter();
  const listener = limit({ admitter, hooks: {} });
  const clients = [
    await connectFrom("127.0.0.1", listener.addr.port),
    await connectFrom("127.0.0.1", listener.addr.port),
  ];
  const accepted = listener.accept();
  await admitter.asked(2);
  for (const question of admitter.questions) question.decide();
  const conn = await accepted;
  await eventually(() => admitter.limiter.open === 2, "both to be admitted");
  await aWhile();
  listener.close();
  await eventually(() => admitter.limiter.open === 1, "the other to be closed");
  conn.close();
  await Promise.all(clients.map(ended));
});

Deno.test("limitedListener() takes a limiter that answers at once without a pending stage", async () => {
  using listener = limitedListener(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  using client = await connectFrom("127.0.0.1", listener.addr.port);
  using conn = await listener.accept();
  assertEquals(listener.limiter.stats().pending, 0);
  conn.close();
  await ended(client);
});

Deno.test("LimitedListener.close() closes what is admitted at once behind it, where nobody waits", async () => {
  const limiter = new Limiter();
  let slow = true;
  const admitter = {
    tryAccept: (peer: Peer) => slow ? Promise.resolve(limiter.tryAccept(peer)) : limiter.tryAccept(peer),
  };
  const native = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepts = [withResolvers<Deno.TcpConn>(), withResolvers<Deno.TcpConn>()];
  let accepting = 0;
  const under = { addr: native.addr, close() {}, ref() {}, unref() {}, accept: () => accepts[accepting++]!.promise };
  const acceptor = denoAcceptor<Deno.TcpConn, Deno.NetAddr>(
    under,
    admitter,
    {},
    new PendingStage<never>() as never,
  );
  const listener = new LimitedAcceptorListener(acceptor, limiter);
  const clients = [await connectFrom("127.0.0.1", native.addr.port), await connectFrom("127.0.0.1", native.addr.port)];
  const conns = [await native.accept(), await native.accept()];
  native.close();

  const accepted = listener.accept();
  accepts[0]!.resolve(conns[0]!);
  const conn = await within(accepted, "the first admission");
  await eventually(() => accepting === 2, "the second accept");
  slow = false;
  accepts[1]!.resolve(conns[1]!);
  listener.close();
  await ended(clients[1]!);
  assertEquals(limiter.open, 1);
  conn.close();
  await ended(clients[0]!);
});

const seed = Date.now() | 0;

Deno.test(
  `limitedListener() leaves nothing of a thousand pending connections (seed ${seed})`,
  leavesNothingPending(adapter, seed),
);
