/**
 * How a limited listener of Deno ends, and what it keeps running.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { listen, tcp } from "../support/deno/deno_listeners.ts";
import { kill } from "../support/deno/kill.ts";
import { keepAll } from "../support/listeners.ts";
import { aWhile, within } from "../support/net.ts";

Deno.test("limitedListener() ends the loop when the listener underneath is closed", async () => {
  const underneath = tcp();
  const listener = limitedListener(underneath);
  const kept = keepAll(listener);
  underneath.close();
  assertEquals(await within(kept, "the loop to end"), []);
  listener.close();
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
