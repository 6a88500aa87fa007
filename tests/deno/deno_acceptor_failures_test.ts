/**
 * What `limitedListener()` does where a listener in Deno's shape, or one of its connections, throws.
 *
 * @module
 */

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { changing } from "../support/deno/changing.ts";
import { type Client, connectFrom, ended, within } from "../support/net.ts";

/** The first connection is changed. The second is accepted as if there had been no first. */
async function failsOnce(
  change: (conn: Deno.TcpConn) => Deno.TcpConn | void,
  maxPerClient = 1,
): Promise<void> {
  let left = 1;
  const hooks = { onRefused() {}, onError() {} };
  const listener = limitedListener(changing((conn) => left-- > 0 ? change(conn) : undefined), { maxPerClient }, hooks);
  const clients: Client[] = [];
  const visit = async () => void clients.push(await connectFrom("127.0.0.1", listener.addr.port));
  await visit();
  await assertRejects(() => within(listener.accept(), "the first accept"), TypeError);
  listener.limiter.setLimits({ maxPerClient: 1 });
  await visit();
  {
    using conn = await within(listener.accept(), "the second accept");
    assertStrictEquals(conn.remoteAddr.port, clients[1]!.socket.localPort);
  }
  assertStrictEquals(listener.limiter.open, 0);
  listener.close();
  await Promise.all(clients.map(ended));
}

Deno.test("LimitedListener.accept() rejects for a connection that cannot be bound and whose dispose throws", () =>
  failsOnce((conn) => {
    Object.defineProperty(conn, Symbol.dispose, {
      value: () => {
        conn.close();
        throw new Error("dispose has thrown");
      },
    });
  }));

Deno.test("LimitedListener.accept() rejects for a refused connection that cannot be readied for the hook", () =>
  failsOnce((conn) => {
    const frozen = { remoteAddr: conn.remoteAddr, [Symbol.dispose]: () => conn.close() };
    return Object.freeze(frozen) as unknown as Deno.TcpConn;
  }, 0));

Deno.test("LimitedListener.accept() ends where the listener underneath throws at its second close", async () => {
  const under = changing(() => {});
  const listener = limitedListener({
    ...under,
    close() {
      throw new Error("closed already");
    },
  });
  const accepted = listener.accept();
  under.native.close();
  await assertRejects(() => within(accepted, "the accept"), Error);
  assertEquals(await listener[Symbol.asyncIterator]().next(), { done: true, value: undefined });
});
