/**
 * The machine that measures, with the versions of all that is compared.
 *
 * @module
 */

import { type Machine, thisMachine } from "../lib/machine.ts";

/** Programs that tell their versions somewhere in what they print. */
const PROGRAMS: Readonly<Record<string, string>> = { HAProxy: "haproxy", nginx: "nginx" };

/** Where they are where they are not on the path. */
const PATH = `${Deno.env.get("PATH")}:/usr/local/sbin:/usr/sbin`;

/** This machine, now, with all that is compared. */
export async function machineWithPeers(): Promise<Machine> {
  const machine = await thisMachine();
  const versions = { ...machine.versions, V8: Deno.version.v8, ...await packages(), ...await programs() };
  return { ...machine, versions };
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
