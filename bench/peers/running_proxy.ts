/**
 * A running proxy, which ends with whoever started it.
 *
 *   deno run -A bench/peers/proxy.ts NAME OPTIONS
 *
 * Prints the number of the proxy's process when it listens. Ends the proxy when standard input ends, as it also does when
 * the process that started this one is killed.
 *
 * @module
 */

import { Child } from "../lib/child.ts";
import { serveCommands } from "../lib/commands.ts";
import { PROXIES, type ProxyName, type ProxyOptions } from "./proxies.ts";

/** Starts a proxy, and waits until it listens. The first line is the number of its process. */
export async function startProxy(name: ProxyName, options: ProxyOptions): Promise<Child<number>> {
  // Detached, so that it can clean up: Deno kills its other children when it ends, and Ctrl-C in a terminal reaches them.
  return await Child.start<number>(new URL(import.meta.url), [name, JSON.stringify(options)], { detached: true });
}

async function keep(name: ProxyName, options: ProxyOptions): Promise<void> {
  const { program, args, config } = PROXIES[name];
  const folder = await Deno.makeTempDir({ prefix: "connlimit_" });
  try {
    await Deno.writeTextFile(`${folder}/config`, config(options));
    const proxy = new Deno.Command(program, { args: args(folder), stdin: "null", stdout: "null" }).spawn();
    const ended = proxy.status.then(({ code }) => Promise.reject(new Error(`${program} ended, exit code ${code}`)));
    const kept = untilListening(options).then(() =>
      new Promise<void>((resolve) => serveCommands(proxy.pid, {}, resolve))
    ).finally(() => proxy.kill("SIGKILL"));
    await Promise.race([ended, kept]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function untilListening({ ports }: ProxyOptions): Promise<void> {
  for (const [port] of ports) {
    while (!await connects(port)) await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function connects(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

if (import.meta.main) {
  await keep(Deno.args[0] as ProxyName, JSON.parse(Deno.args[1]!));
  Deno.exit();
}
