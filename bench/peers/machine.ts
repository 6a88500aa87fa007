/**
 * On what it was measured.
 *
 * @module
 */

import { cpus, release, totalmem } from "node:os";
import { RUNTIMES } from "../../tests/support/runtimes.ts";

/** A machine on a day, with what was measured on it. */
export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  /** In GiB. */
  readonly memory: number;
  readonly kernel: string;
  /** By name; `null` for what is not installed. */
  readonly versions: Readonly<Record<string, string | null>>;
}

/** Programs that tell their versions somewhere in what they print. */
const PROGRAMS: Readonly<Record<string, string>> = { HAProxy: "haproxy", nginx: "nginx" };

/** Where they are where they are not on the path. */
const PATH = `${Deno.env.get("PATH")}:/usr/local/sbin:/usr/sbin`;

/** This machine, now. */
export async function thisMachine(): Promise<Machine> {
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    kernel: `Linux ${release()}`,
    versions: { ...await runtimes(), V8: Deno.version.v8, ...await packages(), ...await programs() },
  };
}

async function runtimes(): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const [name, find] of Object.entries(RUNTIMES)) versions[name] = (await find()).version;
  return versions;
}

/** Those that count, at the versions of the lock file. */
async function packages(): Promise<Record<string, string>> {
  const lock = JSON.parse(await Deno.readTextFile(new URL("deno.lock", import.meta.url)));
  const versions: Record<string, string> = {};
  for (const name of ["rate-limiter-flexible", "async-sema"]) {
    const [, version] = Object.entries<string>(lock.specifiers).find(([key]) => key.startsWith(`npm:${name}@`))!;
    versions[name] = version;
  }
  return versions;
}

async function programs(): Promise<Record<string, string | null>> {
  const versions: Record<string, string | null> = {};
  for (const [name, program] of Object.entries(PROGRAMS)) {
    try {
      const { stdout, stderr } = await new Deno.Command(program, { args: ["-v"], env: { PATH } }).output();
      const text = new TextDecoder().decode(new Uint8Array([...stdout, ...stderr]));
      versions[name] = /\d+\.\d+\.\d+/.exec(text)?.[0] ?? "unknown";
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      versions[name] = null;
    }
  }
  return versions;
}
