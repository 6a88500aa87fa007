/**
 * What a limited listener of Deno has in common with those of Bun, and how it ends.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { limitedListener, Limiter } from "@connlimit/connlimit";
import { kill, listen, tcp } from "../support/deno/deno_listeners.ts";
import { LEAVING, type Making, RULES } from "../support/listener_rules.ts";
import { keepAll } from "../support/listeners.ts";
import { aWhile, connectFrom, ended, eventually, within } from "../support/net.ts";

const making: Making = { listen, connect: (port) => connectFrom("127.0.0.1", port) };

for (const [rule, keeps] of Object.entries({ ...RULES, ...LEAVING })) Deno.test(rule, () => keeps(making));

Deno.test("limitedListener() ends the loop when the listener underneath is closed", async () => {
  const underneath = tcp();
  const listener = limitedListener(underneath);
  const kept = keepAll(listener);
  underneath.close();
  assertEquals(await within(kept, "the loop to end"), []);
  listener.close();
});

Deno.test("limitedListener() leaves nothing on its signal once it is closed", () => {
  const abort = new AbortController();
  let listeners = 0;
  const { signal } = abort;
  const add = signal.addEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    const { signal: removal } = args[2] as AddEventListenerOptions;
    removal!.addEventListener("abort", () => listeners--);
    add(...args);
  };
  const listener = listen({}, { signal });
  assertStrictEquals(listeners, 1);
  listener.close();
  assertStrictEquals(listeners, 0);
});

Deno.test("LimitedListener.shutdown() does not wait for another listener's connections", async () => {
  const limiter = new Limiter();
  const [one, other] = [listen(limiter), listen(limiter)];
  const kept = [keepAll(one), keepAll(other)];
  using client = await connectFrom("127.0.0.1", other.addr.port);
  await eventually(() => limiter.open === 1, "the client to be admitted");
  assertStrictEquals(await within(one.shutdown({ timeout: Infinity }), "the shutdown"), 0);
  assertStrictEquals(limiter.open, 1);
  assertStrictEquals(await other.shutdown({ timeout: 0 }), 1);
  await Promise.all(kept);
  await ended(client);
});

Deno.test("limitedListener() keeps the process running, and lets it end where it is unreferenced", async () => {
  const code = (end: string) => `
    import { limitedListener } from "@connlimit/connlimit";
    const listener = limitedListener(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    listener.unref(); listener.ref(); ${end}
    (async () => { for await (const _ of listener); })();
    console.log("running");
  `;
  for (const [end, ends] of [["listener.unref();", true], ["listener.close();", true], ["", false]] as const) {
    const child = new Deno.Command(Deno.execPath(), { args: ["eval", code(end)], stdout: "piped" }).spawn();
    const exited = child.status.then(({ code }) => code);
    const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    try {
      assertStrictEquals((await within(output.read(), "the process to run")).value, "running\n");
      if (!ends) {
        assertStrictEquals(await Promise.race([exited, aWhile()]), undefined);
      } else {
        assertStrictEquals(await within(exited, "the process to end"), 0);
      }
    } finally {
      kill(child);
      await Promise.all([exited, output.cancel()]);
    }
  }
});

Deno.test("limitedListener() fits where a Deno.Listener is taken", async () => {
  const take = (listener: Deno.Listener<Deno.TcpConn, Deno.NetAddr>) => listener.addr.port;
  using listener = listen();
  assert(take(listener) > 0);
  await Promise.resolve();
});
