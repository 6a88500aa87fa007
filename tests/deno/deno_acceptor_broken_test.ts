/**
 * What `limitedListener()` does where the close of connections, or of the listener underneath, throws.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type LimitedListener, limitedListener, type Refusal } from "@connlimit/connlimit";
import { PendingStage } from "../../src/admission/pending_stage.ts";
import { LimitedAcceptorListener } from "../../src/conn/limited_acceptor_listener.ts";
import { denoAcceptor } from "../../src/deno/deno_acceptor.ts";
import { isOpen } from "../support/deno/bound_conn.ts";
import { changing } from "../support/deno/changing.ts";
import { keepAll } from "../support/listeners.ts";
import { aWhile, type Client, connectFrom, ended, eventually, leavingNoSocket, within } from "../support/net.ts";
import { SlowAdmitter } from "../support/slow_admitter.ts";

/** What is thrown. */
class Broken extends Error {}

/** Makes a connection close as it should, and throw then. */
function breakClose(conn: Deno.TcpConn): void {
  Object.setPrototypeOf(conn, {
    __proto__: Object.getPrototypeOf(conn),
    close() {
      super[Symbol.dispose]();
      throw new Broken();
    },
    [Symbol.dispose]() {
      super[Symbol.dispose]();
      throw new Broken();
    },
  });
}

/** Serves connections that throw when they are closed. Nothing of them, and no error, may be lost. */
function withBroken(
  options: { readonly maxPerClient?: number; readonly onRefused?: (refusal: Refusal, conn: Deno.TcpConn) => void },
  use: (
    listener: LimitedListener<Deno.TcpConn, Deno.NetAddr>,
    visit: () => Promise<Client>,
    errors: unknown[],
  ) => Promise<void>,
): Promise<void> {
  return leavingNoSocket(async () => {
    const { maxPerClient = 10, onRefused = () => {} } = options;
    const errors: unknown[] = [];
    const hooks = { onRefused, onError: (error: unknown) => void errors.push(error) };
    const listener = limitedListener(changing(breakClose), { maxPerClient }, hooks);
    const clients: Client[] = [];
    const visit = async () => {
      clients.push(await connectFrom("127.0.0.1", listener.addr.port));
      return clients.at(-1)!;
    };
    await use(listener, visit, errors);
    await Promise.all(clients.map(ended));
    assertStrictEquals(listener.limiter.open, 0);
    assert(errors.every((error) => error instanceof Broken));
  })();
}

Deno.test(
  "limitedListener() goes on where the second close of a refused connection throws",
  () =>
    withBroken({ maxPerClient: 0, onRefused: (_, conn) => conn.close() }, async (listener, visit, errors) => {
      const kept = keepAll(listener);
      for (let visits = 1; visits <= 3; visits++) {
        await ended(await visit());
        await eventually(() => errors.length === 2 * visits, "the errors of the hook and of the close");
      }
      listener.close();
      assertEquals(await kept, []);
    }),
);

Deno.test("LimitedListener.shutdown() closes all connections where each of them throws", () =>
  withBroken({}, async (listener, visit, errors) => {
    const conns: Deno.TcpConn[] = [];
    const kept = keepAll(listener, conns);
    for (let visits = 0; visits < 3; visits++) await visit();
    await eventually(() => conns.length === 3, "all to be admitted");
    assertStrictEquals(await listener.shutdown({ timeout: 0 }), 3);
    assertStrictEquals(errors.length, 3);
    await kept;
  }));

Deno.test("LimitedListener.shutdown() closes the connections where the listener underneath throws", async () => {
  const errors: unknown[] = [];
  const under = changing(() => {});
  const close = () => {
    under.close();
    throw new Broken();
  };
  const listener = limitedListener({ ...under, close }, {}, { onError: (error) => void errors.push(error) });
  using client = await connectFrom("127.0.0.1", under.addr.port);
  const conn = await listener.accept();
  assertStrictEquals(await listener.shutdown({ timeout: 0 }), 1);
  await ended(client);
  assertEquals([isOpen(conn), listener.limiter.open, errors.map((error) => error instanceof Broken)], [false, 0, [
    true,
  ]]);
});

Deno.test("limitedListener() reports what the listener underneath throws when the signal closes it", async () => {
  const errors: unknown[] = [];
  for (const aborted of [false, true]) {
    const under = changing(() => {});
    const close = () => {
      under.close();
      throw new Broken();
    };
    const abort = new AbortController();
    if (aborted) abort.abort();
    const options = { signal: abort.signal, onError: (error: unknown) => void errors.push(error) };
    const listener = limitedListener({ ...under, close }, {}, options);
    const kept = keepAll(listener);
    abort.abort();
    assertEquals(await within(kept, "the loop to end"), []);
  }
  // An event listener that throws would have ended the process.
  await aWhile();
  assertEquals(errors.map((error) => error instanceof Broken), [true, true]);
});

Deno.test("A limited connection whose close throws rejects the abort of its stream, and frees its slot", () =>
  withBroken({}, async (listener, visit) => {
    await visit();
    const conn = await listener.accept();
    await assertRejects(() => conn.writable.abort(), Broken);
    assertStrictEquals(listener.limiter.open, 0);
    // An event listener that throws would have ended the process.
    await aWhile();
    listener.close();
  }));

Deno.test("LimitedListener.close() closes all that is admitted or pending where each of them throws", () =>
  leavingNoSocket(async () => {
    const errors: unknown[] = [];
    const admitter = new SlowAdmitter();
    const hooks = { onError: (error: unknown) => void errors.push(error) };
    const acceptor = denoAcceptor(changing(breakClose), admitter, hooks, new PendingStage());
    const listener = new LimitedAcceptorListener(acceptor, admitter, hooks);
    const accepted = listener.accept();
    const clients: Client[] = [];
    for (let visits = 0; visits < 5; visits++) clients.push(await connectFrom("127.0.0.1", listener.addr.port));
    await admitter.asked(5);
    for (const { decide } of admitter.questions.slice(0, 3)) decide();
    const conn = await accepted;
    await eventually(() => admitter.limiter.open === 3 && admitter.pending === 2, "three admissions");
    listener.close();
    await eventually(() => errors.length === 4, "two of them and two pending ones to be closed");
    assertThrows(() => conn.close(), Broken);
    await Promise.all(clients.map(ended));
    assertEquals([admitter.limiter.open, admitter.pending, errors.every((error) => error instanceof Broken)], [
      0,
      0,
      true,
    ]);
  })());
