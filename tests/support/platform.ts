/**
 * What tests run on: the runtime; and what the system lacks that tests need, each as the reason to skip them, or `false`
 * where it is there. On Linux nothing is lacking. `platform_test.ts` tries whether it is so.
 *
 * @module
 */

import { readdirSync, statSync } from "node:fs";
import { networkInterfaces } from "node:os";
import process from "node:process";

export const isBun: boolean = "Bun" in globalThis;

export const isDeno: boolean = "Deno" in globalThis;

/** A reason to skip a test, which `node:test` takes as it is. */
export type Lack = string | false;

const { platform } = process;
const lackUnless = (there: boolean, reason: string): Lack => there ? false : reason;

/** macOS has 127.0.0.1 alone until others are added, such as by `ifconfig lo0 alias 127.0.0.2`. */
export const oneAddress: Lack = lackUnless(
  hasAddress("127.0.0.2") && hasAddress("127.0.0.100"),
  "127.0.0.2 to 127.0.0.100 are not addresses of this machine",
);

export const noIPv6: Lack = lackUnless(hasAddress("::1"), "::1 is not an address of this machine");

export const noUnixSockets: Lack = lackUnless(
  platform !== "win32",
  "Windows has no Unix sockets that all runtimes know",
);

export const noPosix: Lack = lackUnless(platform !== "win32", "Windows has no SIGTERM and no ulimit");

export const hiddenSockets: Lack = lackUnless(platform !== "win32", "Windows does not show what sockets are left open");

/** Elsewhere a connection that is reset before it is accepted may never be, and nothing tells how much memory was used. */
export const notLinux: Lack = lackUnless(platform === "linux", "some of what is tested only Linux does");

/** All that is lacking. */
export const LACKS: readonly Lack[] = [oneAddress, noIPv6, noUnixSockets, noPosix, hiddenSockets, notLinux].filter(
  Boolean,
);

/** Where clients come from: another address than the servers', if there is one. */
export const CLIENT_ADDRESS: string = oneAddress ? "127.0.0.1" : "127.0.0.2";

function hasAddress(wanted: string): boolean {
  return Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []).some(({ address, netmask }) =>
    // But for macOS, all of a loopback network is the machine's.
    address === wanted || platform !== "darwin" && address === "127.0.0.1" && netmask === "255.0.0.0" &&
      wanted.startsWith("127.")
  );
}

/**
 * The sockets that this process has open, by the system's count: descriptors, with what tells one socket from the next.
 * None where they are hidden.
 */
export function findSockets(): Map<number, number> {
  const found = new Map<number, number>();
  if (hiddenSockets) return found;
  for (const name of readdirSync("/dev/fd")) {
    try {
      const status = statSync(`/dev/fd/${name}`);
      if (status.isSocket()) found.set(Number(name), status.ino);
    } catch {
      // The descriptor of the directory itself, closed by now.
    }
  }
  return found;
}
