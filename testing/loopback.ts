/**
 * The loopback addresses of this machine.
 *
 * @module
 */

import { networkInterfaces } from "node:os";
import process from "node:process";

/** Why the machine cannot do something; `false` if it can. `node:test` takes it as its option `skip`. */
export type Lack = string | false;

/** The reason, unless the thing is there. */
export function lackUnless(there: boolean, reason: string): Lack {
  return there ? false : reason;
}

/** macOS has 127.0.0.1 alone until others are added, such as by `ifconfig lo0 alias 127.0.0.2`. */
export const oneAddress: Lack = lackUnless(
  hasAddress("127.0.0.2") && hasAddress("127.0.0.100"),
  "127.0.0.2 to 127.0.0.100 are not addresses of this machine",
);

export const noIPv6: Lack = lackUnless(hasAddress("::1"), "::1 is not an address of this machine");

/** Clients connect from here: an address other than the servers', if the machine has one. */
export const CLIENT_ADDRESS: string = oneAddress ? "127.0.0.1" : "127.0.0.2";

function hasAddress(wanted: string): boolean {
  return Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []).some(({ address, netmask }) =>
    // Except on macOS, a loopback interface answers for its whole network.
    address === wanted || process.platform !== "darwin" && address === "127.0.0.1" && netmask === "255.0.0.0" &&
      wanted.startsWith("127.")
  );
}
