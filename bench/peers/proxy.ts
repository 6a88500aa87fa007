/**
 * A running proxy, which ends with whoever started it.
 *
 *   deno run -A bench/peers/proxy.ts NAME OPTIONS
 *
 * Prints the number of the proxy's process when it listens. Keeps it until standard input ends, as it also does when the
 * process that started this one is killed.
 *
 * @module
 */

import { program } from "../load.ts";
import { PROXIES, type ProxyName, type ProxyOptions } from "./proxies.ts";

/** A proxy in front of a server. */
export class RunningProxy implements Disposable {
  /** The number of its process. */
  readonly pid: number;
  readonly #keeper: Deno.ChildProcess;

  private constructor(keeper: Deno.ChildProcess, pid: number) {
    this.#keeper = keeper;
    this.pid = pid;
  }

  /** Starts a proxy and waits until it listens. */
  static async start(name: ProxyName, options: ProxyOptions): Promise<RunningProxy> {
    // Detached, so that it can clear away: Deno kills the others as it ends itself, and Ctrl-C in a terminal reaches them.
    const command = program("peers/proxy.ts", [name, JSON.stringify(options)], { stdin: "piped", detached: true });
    const keeper = command.spawn();
    const { value } = await keeper.stdout.pipeThrough(new TextDecoderStream()).getReader().read();
    if (value === undefined) throw new Error(`${name} does not start`);
    return new RunningProxy(keeper, Number(value));
  }

  [Symbol.dispose](): void {
    this.#keeper.stdin.close();
  }
}

async function keep(name: ProxyName, options: ProxyOptions): Promise<void> {
  const { program, args, config } = PROXIES[name];
  const folder = await Deno.makeTempDir({ prefix: "connlimit_" });
  try {
    await Deno.writeTextFile(`${folder}/config`, config(options));
    const proxy = new Deno.Command(program, { args: args(folder), stdin: "null", stdout: "null" }).spawn();
    const ended = proxy.status.then(({ code }) => Promise.reject(new Error(`${program} ended, exit code ${code}`)));
    const kept = untilListening(options).then(() => {
      console.log(proxy.pid);
      return Deno.stdin.readable.pipeTo(new WritableStream());
    }).finally(() => proxy.kill("SIGKILL"));
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
