/**
 * What tests run on: the runtime; and what the system lacks that tests need, each as the reason to skip them, or `false`
 * where it is there. On Linux nothing is lacking. `platform_test.ts` tries whether it is so.
 *
 * @module
 */

import { readdirSync, statSync } from "node:fs";
import process from "node:process";
import { type Lack, lackUnless, noIPv6, oneAddress } from "../../testing/loopback.ts";

export { CLIENT_ADDRESS, type Lack, noIPv6, oneAddress } from "../../testing/loopback.ts";

export const isBun: boolean = "Bun" in globalThis;

export const isDeno: boolean = "Deno" in globalThis;

const { platform } = process;

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
