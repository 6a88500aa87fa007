/**
 * Why a request has no client, for the one who set the server up.
 *
 * @module
 */

import { isThenable } from "./hooks.ts";
import { parseAddress } from "../core/address.ts";
import { formatValue } from "../core/validate.ts";

/** What is wrong with a value that the option `client` has returned, and what to do about it. */
export interface Fault {
  /** The same for all values with the same fault. */
  readonly remedy: string;
  /** Made when it is read. */
  readonly message: string;
}

/** The fault of a value that names no client. */
export function faultOf(client: unknown): Fault {
  const remedy = remedyFor(client);
  return {
    remedy,
    get message() {
      const value = isThenable(client) ? "a promise" : formatValue(client);
      return `client returned ${value}, so the request is refused as "unknown-address"; ${remedy}`;
    },
  };
}

function remedyFor(client: unknown): string {
  if (client === undefined || client === null) {
    return "does the proxy set the header that client reads, and does forwarded() have it in its option trusted?";
  }
  if (isThenable(client)) return "client must return the client at once";
  if (typeof client !== "string") return "return an address as text, or { key } with text that is not empty";
  if (client.includes(",")) return "return one address of the list";
  if (parseAddress(client.trim()) !== undefined) return "return the address without the spaces around it";
  if (WITH_PORT.test(client)) return "return the address without port and brackets";
  return "return an address, or { key } for a client that is not an address";
}

/** `192.0.2.7:80`, `[2001:db8::7]` and `[2001:db8::7]:80`. */
const WITH_PORT = /^([\d.]+|\[.*\]):\d+$|^\[.*\]$/;
