/**
 * How a limited listener of Deno ends, and what it keeps running.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { Program } from "../../testing/program.ts";
import { listen, tcp } from "../support/deno/deno_listeners.ts";
import { keepAll } from "../support/listeners.ts";
import { aWhile, eventually, within } from "../support/net.ts";

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
    await using program = new Program(Deno.execPath(), ["eval", code(end)]);
    await eventually(() => program.output === "running\n", "the process to run");
    if (!ends) {
      assertEquals(await Promise.race([program.ended, aWhile()]), undefined);
    } else {
      assertEquals(await within(program.ended, "the process to end"), { code: 0, signal: null });
    }
  }
});

Deno.test("limitedListener() fits where a Deno.Listener is taken", async () => {
  const take = (listener: Deno.Listener<Deno.TcpConn, Deno.NetAddr>) => listener.addr.port;
  using listener = listen();
  assert(take(listener) > 0);
  await Promise.resolve();
});
